# Without symbols a panic is seen at the unwinder, which tells its message all the same.
# ways: live
# site: stripped
# truth: none
# gdb-command: pyo3-break-panic -message not.be
# gdb-command: run
# gdb-check: ^Armed for panics in demo.so: at the unwinder
# gdb-check: ^Rust panic: depth must not be 0$
# gdb-check: ^  at src/lib.rs:\d+:5
# gdb-check: ^#\d+ +rust  demo.recurse \(\)
# gdb-check: ^#[\d.]+ +py    cb
# gdb-command: info pyo3
# gdb-check: panics +armed at the unwinder
# gdb-command: continue
# gdb-check: ^caught PanicException
# gdb-check-not: Rust panic
# gdb-check: exited normally
# gdb-command: run
# gdb-check: ^Rust panic: depth must not be 0$
import scene
import demo


def cb(depth):
    return demo.recurse(depth, cb)


try:
    demo.panic_any()
except BaseException:
    pass
try:
    cb(2)
except BaseException as problem:
    print("caught", type(problem).__name__, problem, flush=True)
