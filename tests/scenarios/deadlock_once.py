# A OnceLock whose initializer lets the GIL go, and is waited for by who has got it.
# ways: attach core
# once: core
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^deadlock: thread \d+ ("\S+" )?holds the GIL and waits for the OnceLock demo::LOCK_ONCE in demo::get_once
# gdb-check: ^          thread \d+ ("\S+" )?probably holds the OnceLock demo::LOCK_ONCE \(it initializes one, in demo::get_once.*\) and waits for the GIL
import threading
import time

import scene
import demo


def initialize():
    time.sleep(0.35)


threading.Thread(target=lambda: demo.get_once(initialize), name="first", daemon=True).start()
time.sleep(0.2)
scene.say_ready()
demo.get_once(initialize)
