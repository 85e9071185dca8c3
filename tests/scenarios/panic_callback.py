# ways: live
# gdb-command: pyo3-break-panic
# gdb-command: run
# gdb-check: Rust panic: depth must not be 0
# gdb-command: pyo3-bt
# gdb-check: #\d+ +rust  demo::checked \(depth=0\)
# gdb-check: #\d+ +rust  demo::recurse \(depth=0, f=<function cb>\) .*called as demo.recurse
# gdb-check: #(\d+) +py    inner \(depth=0\)
# gdb-check: #(\d+)\.1 +py    cb \(depth=0\)
# gdb-check: #\d+ +rust  demo::recurse \(depth=1, f=<function cb>\)
# gdb-check: #\d+ +py    inner \(depth=1\)
# gdb-check: #\d+ +rust  demo::recurse \(depth=2, f=<function cb>\)
# gdb-check: #\d+ +py    inner \(depth=2\)
# gdb-check: #\d+\.1 +py    main \(\)
# gdb-check: #\d+\.2 +py    <module>
# The two times PyO3 resumes this panic are not stopped at:
# gdb-command: continue
# gdb-check: caught PanicException depth must not be 0
# gdb-check: exited normally
# gdb-check-not: Rust panic
# once more: the breakpoint survives a second run
# gdb-command: run
# gdb-check: Rust panic: depth must not be 0
import scene
import demo


def cb(depth):
    return inner(depth)


def inner(depth):
    return demo.recurse(depth, cb)


def main():
    return inner(2)


try:
    main()
except BaseException as problem:
    print("caught", type(problem).__name__, problem, flush=True)
