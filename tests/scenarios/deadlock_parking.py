# parking_lot's Mutex and the GIL: the lock is found through the thread's own parker.
# ways: attach core
# once: core
# site: locks
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^deadlock: thread \d+ ("\S+" )?holds the GIL and waits for the parking_lot Mutex demo::PARKED in demo::want_parked
# gdb-check: ^          thread \d+ ("\S+" )?holds the parking_lot Mutex demo::PARKED \(guard .guard. in demo::hold_parked.*\) and waits for the GIL
# gdb-command: pyo3-threads
# gdb-check: waits for the parking_lot Mutex demo::PARKED
import threading
import time

import scene
import demo


threading.Thread(
    target=lambda: demo.hold_parked(lambda: time.sleep(0.35)), name="holder", daemon=True
).start()
time.sleep(0.2)
scene.say_ready()
demo.want_parked()
