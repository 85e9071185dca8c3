# A LazyLock whose initializer lets the GIL go, and is waited for by who has got it.
# ways: attach core
# once: core
# site: locks
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^deadlock: thread \d+ ("\S+" )?holds the GIL and waits for the LazyLock demo::LAZY in demo::lazy
# gdb-check: ^          thread \d+ ("\S+" )?probably holds the LazyLock demo::LAZY \(it initializes one, in demo::LAZY.*\) and waits for the GIL
import threading
import time

import scene
import demo


threading.Thread(target=demo.lazy, name="first", daemon=True).start()
time.sleep(0.5)
scene.say_ready()
demo.lazy()
