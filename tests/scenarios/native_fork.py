# The child of a fork that Python does not know of (libc::fork): what it has stored of its
# threads is the parent's, and no kernel id in it is right.
# ways: attach core
# once: core
# gdb-command: pyo3-bt -all
# gdb-check: ^Thread 1 \(LWP \d+\)
# gdb-check: #[\d.]+ +py    child \(\) +at .*native_fork.py:\d+
# gdb-check: #\d+ +rust  demo::callback \(f=<function child>\)
# gdb-check: #[\d.]+ +py    <module> +at .*native_fork.py:\d+
import ctypes
import threading

import scene
import demo


def child():
    # With the GIL held, as Rust code would.
    if ctypes.PyDLL(None).fork():
        scene.hold()
    scene.ready()


threading.Thread(target=scene.hold, name="other", daemon=True).start()
demo.callback(child)
