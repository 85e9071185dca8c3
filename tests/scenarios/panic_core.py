# The core of a process that a panic has ended: what it said, without a breakpoint before.
# ways: kernel-core
# truth: none
# gdb-command: pyo3-panic
# the panic itself has been unwound up to the function that it may not leave
# gdb-check: ^Rust panic: (depth must not be 0|panic in a function that cannot unwind)$
# gdb-check: ^  at \S+.rs:\d+:5
# gdb-command: pyo3-bt
# gdb-check: ^#\d+ +rust  demo::cannot_unwind
import scene
import demo

demo.abort_unwind()
