# A lock that another thread held when the process was forked: nobody is left to unlock it.
# ways: attach core
# once: core
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^no deadlock was found
# gdb-check: waits for the Mutex demo::LOCK_A in demo::want_mutex.*; no (other thread is left that could unlock it|thread here holds it)
import os
import threading
import time

import scene
import demo


threading.Thread(
    target=lambda: demo.hold_mutex(lambda: time.sleep(1000)), name="holder", daemon=True
).start()
time.sleep(0.2)
child = os.fork()
if child:
    os.waitpid(child, 0)
scene.say_ready()
demo.want_mutex()
