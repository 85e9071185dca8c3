# A Mutex of Rust held across a call of Python, and the GIL held across a wait for it.
# ways: attach core gdbserver
# once: core
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^deadlock: thread \d+ ("\S+" )?holds the GIL and waits for the Mutex demo::LOCK_A in demo::want_mutex, \S*src/lib.rs:\d+;
# gdb-check: ^          thread \d+ ("\S+" )?holds the Mutex demo::LOCK_A \(guard `guard` in demo::hold_mutex, \S*src/lib.rs:\d+\) and waits for the GIL in release, \S+:\d+$
# gdb-command: print $_pyo3_deadlock
# gdb-check: = 1$
# gdb-command: pyo3-threads
# gdb-check: holds the GIL, waits for the Mutex demo::LOCK_A +demo::want_mutex \S+:\d+ +\S+ \S+:\d+
import threading
import time

import scene
import demo


def release():
    time.sleep(0.35)


threading.Thread(target=lambda: demo.hold_mutex(release), name="holder", daemon=True).start()
time.sleep(0.2)
scene.say_ready()
demo.want_mutex()
