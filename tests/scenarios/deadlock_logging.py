# The lock of a logging handler, through a log bridge, against one of Rust's.
# ways: attach core
# once: core
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^deadlock: thread \d+ "MainThread" holds the threading.RLock .*\(the lock stores its owner\) and waits for the Mutex demo::LOCK_A
# gdb-check: ^          thread \d+ "worker" holds the Mutex demo::LOCK_A \(guard .guard. in demo::hold_mutex.*\) and waits for the threading.RLock
import logging
import threading
import time

import scene
import demo


handler = logging.StreamHandler()
logging.getLogger().addHandler(handler)


def work():
    time.sleep(0.35)
    logging.warning("from Rust")


threading.Thread(target=lambda: demo.hold_mutex(work), name="worker", daemon=True).start()
time.sleep(0.2)
scene.say_ready()
with handler.lock:
    demo.want_detached()
