# Free-threaded: a list is locked while it is sorted, and the key waits for a Mutex whose holder
# appends to the list.
# only: t
# ways: attach core
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^deadlock: thread 1 "MainThread" holds the critical section of list at 0x[0-9a-f]+ \(its thread state says so\) and waits for the Mutex demo::LOCK_A in demo::want_mutex
# gdb-check: ^          thread 2 "holder" holds the Mutex demo::LOCK_A \(guard `guard` in demo::hold_mutex, \S*src/lib.rs:\d+\) and waits for the critical section of list at 0x[0-9a-f]+ in append, .*deadlock_critical.py:\d+
import os
import sys
import threading
import time

if os.environ.get("PYTHON_GIL") != "0":
    os.environ["PYTHON_GIL"] = "0"
    os.execv(sys.executable, [sys.executable] + sys.argv)

import scene
import demo

numbers = [2, 1]


def append():
    time.sleep(0.35)
    numbers.append(3)


threading.Thread(target=lambda: demo.hold_mutex(append), name="holder", daemon=True).start()
time.sleep(0.2)
scene.say_ready()
numbers.sort(key=lambda number: demo.want_mutex())
