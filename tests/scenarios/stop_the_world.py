# Free-threaded: one thread stops all others, and one of them, attached, waits for its lock.
# only: t
# ways: attach core
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^deadlock: thread 1 "MainThread" holds the Mutex demo::LOCK_A \(guard `guard` in demo::hold_mutex, \S*src/lib.rs:\d+\) and waits for all threads to stop in collect, .*stop_the_world.py:\d+;
# gdb-check: ^          thread 2 "attached" is attached and waits for the Mutex demo::LOCK_A in demo::want_mutex
# gdb-command: pyo3-threads
# gdb-check: ^1 .*attached, waits for all threads to stop
import gc
import os
import sys
import threading
import time

if os.environ.get("PYTHON_GIL") != "0":  # an extension that does not ask for it, too
    os.environ["PYTHON_GIL"] = "0"
    os.execv(sys.executable, [sys.executable] + sys.argv)

import scene
import demo


def collect():
    time.sleep(0.2)
    scene.say_ready()
    gc.collect()


def want():
    time.sleep(0.1)
    demo.want_mutex()


threading.Thread(target=want, name="attached", daemon=True).start()
demo.hold_mutex(collect)
