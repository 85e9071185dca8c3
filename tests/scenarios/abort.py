# A process that aborts, and the kernel's core of it.
# ways: kernel-core
# gdb-command: pyo3-bt
# gdb-check: Thread 1 \(LWP \d+\)( "\S+")?, holds the GIL
# gdb-check: #\d+ +rust  demo::trap .*called as demo.trap
# gdb-check: #\d+ +py    inside \(value='last'\)
# gdb-check: #\d+\.1 +py    <module>
import scene
import demo


def inside(value):
    demo.trap()


inside("last")
