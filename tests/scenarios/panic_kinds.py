# What can become of a panic: resumed on another thread, no string in it, one in a destructor.
# ways: live
# truth: none
# gdb-command: pyo3-break-panic
# gdb-command: run
# gdb-check: ^Armed for panics in demo.so: by its symbols
# gdb-check: ^Rust panic: depth must not be 0$
# gdb-check: ^  at src/lib.rs:\d+:5
# gdb-check: ^  in demo.so
# gdb-check: ^#\d+ +rust  demo::checked
# gdb-check: ^#\d+ +rust  demo::panic_joined::\{closure#0\}
# gdb-command: continue
# the one that is resumed by the thread that joins is not stopped at
# gdb-check-not: Rust panic
# gdb-check: ^Rust panic with a payload that is no string$
# gdb-command: ignore 1 1
# gdb-command: continue
# gdb-check: ^Rust panic: first$
# gdb-check: ^Rust panic: second$
# gdb-check: ^#\d+ +rust  demo::\{impl#1\}::drop
# gdb-command: continue
# gdb-check: ^Rust panic in a destructor during cleanup: the process will abort$
# gdb-check: ^  after: second$
# gdb-command: print $_pyo3_panic_line
# gdb-check: = \d+
# gdb-command: continue
# gdb-check: SIGABRT
# gdb-command: pyo3-panic
# gdb-check: ^Rust panic
import scene
import demo

for function in demo.panic_joined, demo.panic_any:
    try:
        function()
    except BaseException:
        pass
demo.abort_cleanup()
