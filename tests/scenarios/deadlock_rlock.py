# Two RLocks of Python: they store their owners.
# ways: attach core gdbserver
# truth: none
# extension: none
# gdb-command: pyo3-deadlock
# gdb-check: ^deadlock: thread \d+ ("\S+" )?holds the threading.RLock at 0x[0-9a-f]+ \(the lock stores its owner\) and waits for the threading.RLock
# gdb-check: ^          thread \d+ ("\S+" )?holds the threading.RLock at 0x[0-9a-f]+ \(the lock stores its owner\) and waits for the threading.RLock
import threading
import time

import scene

one, other = threading.RLock(), threading.RLock()


def first():
    with one:
        time.sleep(0.4)
        other.acquire()


threading.Thread(target=first, name="first", daemon=True).start()
other.acquire()
time.sleep(0.2)
scene.say_ready()
one.acquire()
