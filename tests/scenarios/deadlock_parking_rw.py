# parking_lot's RwLock, read and to be written, and the GIL.
# ways: attach core
# once: core
# site: locks
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^deadlock: thread \d+ ("\S+" )?holds the GIL and waits for the parking_lot RwLock demo::SHARED in demo::want_shared
# gdb-check: ^          thread \d+ ("\S+" )?holds the parking_lot RwLock demo::SHARED \(guard .guard. in demo::hold_shared.*\) and waits for the GIL
import threading
import time

import scene
import demo


threading.Thread(
    target=lambda: demo.hold_shared(lambda: time.sleep(0.35)), name="holder", daemon=True
).start()
time.sleep(0.2)
scene.say_ready()
demo.want_shared()
