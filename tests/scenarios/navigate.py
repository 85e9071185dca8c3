# ways: attach core
# gdb-command: pyo3-frame
# gdb-check: ^#0 
# gdb-command: pyo3-up
# from the innermost Python frame on: a stripped libc has frames of its own before it
# gdb-command: python import json; gdb.execute("pyo3-frame %d" % [f["level"] for f in json.loads(gdb.execute("pyo3-bt -json", to_string=True))["threads"][0]["frames"] if f["language"] == "python"][0])
# gdb-check: #\d+(\.\d+)? +py    ready \(
# gdb-command: pyo3-up
# gdb-check: #\d+(\.\d+)? +py    stop \(word='end'\)
# gdb-command: pyo3-locals
# gdb-check: ^word = 'end'$
# gdb-check: ^number = 42$
# gdb-command: pyo3-print number
# gdb-check: ^local number = 42$
# gdb-command: pyo3-print ANSWER
# gdb-check: ^global ANSWER = \[1, 2\]$
# gdb-command: pyo3-print len
# gdb-check: ^builtin len = <built-in function len>$
# gdb-command: pyo3-list
# gdb-check: ^ *>\d+        scene.ready\(\)
# gdb-command: pyo3-up 2
# gdb-check: #\d+ +rust  demo::callback \(f=.*\) .* called as demo.callback
# gdb-command: pyo3-locals
# gdb-check: ^f = <function .*<lambda>>$
# gdb-command: frame
# gdb-check: ^#\d+ .*demo::callback
# from a Rust frame, the nearest older Python frame:
# gdb-command: py-locals
# gdb-check: ^Locals for outer$
# gdb-check: ^text = 'x'$
# gdb-command: py-print text
# gdb-check: ^local 'text' = 'x'$
# gdb-command: pyo3-up
# gdb-check: #\d+(\.\d+)? +py    outer \(text='x'\)
# gdb-command: pyo3-down
# gdb-check: #\d+ +rust  demo::callback
# gdb-command: pyo3-exception
# gdb-check: ^ValueError\('no'\), being handled
# gdb-check: ^  File ".*navigate.py", line \d+, in outer$
# gdb-check: ^KeyError\('k'\), its cause
# gdb-check: ^  File ".*navigate.py", line \d+, in fail$
# gdb-command: py-bt
# gdb-check: ^Traceback \(most recent call first\):$
# gdb-check: ^  File ".*navigate.py", line \d+, in outer$
# gdb-check: ^    demo.callback\(lambda: stop\("end"\)\)$
# gdb-check: ^  File ".*navigate.py", line \d+, in <module>$
# gdb-command: py-bt-full
# gdb-check: ^#\d+ Frame 0x[0-9a-f]+, for file .*navigate.py, line \d+, in outer \(text='x'\)$
# gdb-command: pyo3-frame 0
# gdb-check: ^#0 
# gdb-command: pyo3-down
# gdb-check: Bottom \(innermost\) frame selected; you can't go down\.
# gdb-command: pyo3-frame 99999
# gdb-check: ^there is no frame 99999$
# gdb-command: pyo3-print nothing
# gdb-check: ^'nothing' not found$
# gdb-command: set pyo3 py-commands off
# gdb-command: py-bt
# gdb-check: ^py-bt is off$
# gdb-command: show pyo3 py-commands
# gdb-check: ^The commands of python-gdb.py are "off"\.$
import scene
import demo

ANSWER = [1, 2]


def stop(word):
    number = 42
    scene.ready()
    return number


def fail():
    raise KeyError("k")


def outer(text):
    try:
        try:
            fail()
        except KeyError as error:
            raise ValueError("no") from error
    except ValueError:
        demo.callback(lambda: stop("end"))
    return text


outer("x")
