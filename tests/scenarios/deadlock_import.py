# The import lock of a module, whose body waits for a lock that is held by who imports it, too.
# ways: attach core
# once: core
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^deadlock: thread \d+ "MainThread" holds the import lock of slow_module \(the lock stores its owner\) and waits for the threading.Lock
# gdb-check: ^          thread \d+ "importer" holds the threading.Lock .*\(.with. in importer.*\) and waits for the import lock of slow_module
import os
import sys
import tempfile
import threading
import time

import scene
import demo


lock = scene.lock = threading.Lock()


def importer():
    with lock:
        time.sleep(0.25)
        import slow_module


folder = tempfile.mkdtemp()
with open(os.path.join(folder, "slow_module.py"), "w") as file:
    file.write("import scene, time\ntime.sleep(0.35)\nscene.say_ready()\nscene.lock.acquire()\n")
sys.path.insert(0, folder)
threading.Thread(target=importer, name="importer", daemon=True).start()
time.sleep(0.05)
import slow_module
