# The same without symbols: std's frames have no names, the payload is found all the same.
# ways: kernel-core
# site: stripped
# truth: none
# gdb-command: pyo3-panic
# gdb-check: ^Rust panic: (depth must not be 0|panic in a function that cannot unwind)$
# gdb-check: ^  at \S+.rs:\d+:\d+
# gdb-command: pyo3-bt
# gdb-check: ^#\d+ +rust  demo.abort_unwind
import scene
import demo

demo.abort_unwind()
