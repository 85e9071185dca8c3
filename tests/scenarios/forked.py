# The child of a fork that Python knows of, made in a thread, from Rust's callback.
# ways: attach core
# once: core
# gdb-command: pyo3-bt -all
# gdb-check: ^Thread 1 \(LWP \d+\)
# gdb-check: #[\d.]+ +py    child \(\) +at .*forked.py:\d+
# gdb-check: #\d+ +rust  demo::callback \(f=<function child>\)
# gdb-check: #[\d.]+ +py    parent \(\) +at .*forked.py:\d+
import os
import threading

import scene
import demo


def child():
    if os.fork():
        scene.hold()
    scene.ready()


def parent():
    demo.callback(child)


threading.Thread(target=parent, name="forks", daemon=True).start()
scene.hold()
