# A lock behind an Arc in a Python object: it is named after the field that leads to it.
# ways: attach core gdbserver
# once: core
# site: locks
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^deadlock: thread 1 "MainThread" holds the GIL and waits for the parking_lot Mutex demo::Cache.shared at 0x[0-9a-f]+ in demo::Cache::want_shared, src/lib.rs:\d+
# gdb-check: ^          thread 2 "holder" holds the parking_lot Mutex demo::Cache.shared at 0x[0-9a-f]+ \(guard `guard` in demo::Cache::hold_shared, src/lib.rs:\d+\)
# gdb-command: pyo3-bt -1
# gdb-check: ^Thread 1 \(LWP \d+\) "MainThread", holds the GIL, waits for the parking_lot Mutex demo::Cache.shared at 0x
import threading
import time

import scene
import demo

cache = demo.Cache()
threading.Thread(
    target=lambda: cache.hold_shared(lambda: time.sleep(0.35)), name="holder", daemon=True
).start()
time.sleep(0.2)
scene.say_ready()
cache.want_shared()
