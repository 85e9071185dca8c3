# ways: live
# gdb-command: pyo3-break-panic
# gdb-command: run
# gdb-check: Rust panic: depth must not be 0
# gdb-check:   at src/lib.rs:\d+:\d+
# gdb-command: pyo3-bt
# gdb-check: Thread 1 \(LWP \d+\) "\S+", holds the GIL
# gdb-check:  +\S   \d+ frames of panic machinery$
# gdb-check: #\d+ +rust  demo::checked \(depth=0\) +at src/lib.rs:\d+$
# gdb-check: #\d+ +rust  demo::recurse \(depth=0, f=None\) +at src/lib.rs:\d+  called as demo.recurse$
# gdb-check: #\d+ +py    <module> +at .*/panic_function.py:\d+$
# gdb-command: pyo3-bt 1
# gdb-check: #\d+ +rust  demo::checked
# gdb-check: \(More stack frames follow...\)
# gdb-command: pyo3-bt -1
# gdb-check: #\d+ +py    <module>
# gdb-command: pyo3-break-panic
# gdb-check: breakpoint 1 does this already
import scene
import demo

demo.recurse(0, None)
