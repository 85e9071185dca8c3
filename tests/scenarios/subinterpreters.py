# Two thread states on one thread: the frames of a subinterpreter stand where they run,
# within those of the main one. faulthandler writes only one interpreter's: no truth here.
# ways: attach core
# once: core
# truth: none
# gdb-command: pyo3-bt
# gdb-check: ^Thread 1 \(LWP \d+\)
# gdb-check: #[\d.]+ +py    waits \(n=0\) +at <(string|script)>:\d+
# gdb-check: #[\d.]+ +py    waits \(n=1\) +at <(string|script)>:\d+
# gdb-check: #[\d.]+ +py    <module> +at <(string|script)>:\d+
# gdb-check: #[\d.]+ +py    inside \(\) +at .*subinterpreters.py:\d+
# gdb-check: #\d+ +rust  demo::callback \(f=<function inside>\)
# gdb-check: #[\d.]+ +py    <module> +at .*subinterpreters.py:\d+
# gdb-check-not: native frame was not found
import os

import scene
import demo

try:
    import _interpreters as interpreters  # 3.13+
except ImportError:
    import _xxsubinterpreters as interpreters

SCRIPT = """
import time
def waits(n):
    if n:
        waits(n - 1)
    else:
        open(%r, "w").close()
        time.sleep(1000)
waits(1)
""" % (os.environ["P3_TRUTH"] + ".ready")


def inside():
    interpreter = interpreters.create()
    run = getattr(interpreters, "exec", None) or interpreters.run_string
    run(interpreter, SCRIPT)


demo.callback(inside)
