# A Lock of Python against a Mutex of Rust.
# ways: attach core
# once: core
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^deadlock: thread \d+ ("\S+" )?holds the Mutex demo::LOCK_A \(guard `guard` in demo::hold_mutex.*\) and waits for the threading.Lock at 0x[0-9a-f]+ in second
# gdb-check: ^          thread \d+ ("\S+" )?holds the threading.Lock at 0x[0-9a-f]+ \(`with` in first, \S+:\d+\) and waits for the Mutex demo::LOCK_A in demo::want_mutex
import threading
import time

import scene
import demo

lock = threading.Lock()


def first():
    with lock:
        time.sleep(0.35)
        demo.want_mutex()


def second():
    time.sleep(0.2)
    scene.say_ready()
    with lock:
        pass


threading.Thread(target=first, name="first", daemon=True).start()
demo.hold_mutex(second)
