# What looks like a deadlock and is none: a queue, a long detached wait, a busy thread that
# others queue behind.
# ways: attach core
# once: core
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^no deadlock was found
# gdb-check-anywhere: "getter" waits for the threading.Lock
# gdb-check-anywhere: "behind" waits for the Mutex demo::LOCK_A.*, which thread \d+ "busy" holds$
# gdb-command: print $_pyo3_deadlock
# gdb-check: = 0$
import queue
import threading
import time

import scene
import demo


def busy():
    scene.arrived.append(1)
    end = time.time() + 1000
    while time.time() < end:
        time.sleep(0.001)


def behind():
    time.sleep(0.2)
    demo.want_detached()


threading.Thread(target=queue.Queue().get, name="getter", daemon=True).start()
threading.Thread(target=lambda: demo.wait_detached(), name="detached", daemon=True).start()
threading.Thread(target=lambda: demo.hold_mutex(busy), name="busy", daemon=True).start()
threading.Thread(target=behind, name="behind", daemon=True).start()
scene.ready(threads=1)
