# Built with panic = "abort": what is said of a panic there, and pyo3-panic at the end.
# ways: live
# site: abort
# truth: none
# gdb-command: pyo3-break-panic
# gdb-command: run
# gdb-check: ^Armed for panics in demo.so: by its symbols, with DWARF
# gdb-check: ^Rust panic: depth must not be 0$
# gdb-check: ^  at src/lib.rs:\d+:5
# gdb-check: ^  the process will abort: built with panic = "abort"$
# gdb-check: ^  in demo.so
# gdb-check: ^#\d+ +rust  demo::Counter::add .*called as demo.Counter.add
# gdb-check: ^#[\d.]+ +py    <module>
# gdb-command: continue
# gdb-check: SIGABRT
# gdb-command: pyo3-panic
# gdb-check: ^Rust panic: depth must not be 0$
# gdb-check: ^  at src/lib.rs:\d+:5
import scene
import demo

demo.Counter("lab").add(0)
