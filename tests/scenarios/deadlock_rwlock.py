# A RwLock that is read across a call of Python, and written with the GIL held.
# ways: attach core
# once: core
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^deadlock: thread \d+ ("\S+" )?holds the GIL and waits for the RwLock demo::LOCK_RW in demo::want_write
# gdb-check: ^          thread \d+ ("\S+" )?holds the RwLock demo::LOCK_RW \(guard `guard` in demo::hold_read.*\) and waits for the GIL
import threading
import time

import scene
import demo


def release():
    time.sleep(0.35)


threading.Thread(target=lambda: demo.hold_read(release), name="reader", daemon=True).start()
time.sleep(0.2)
scene.say_ready()
demo.want_write()
