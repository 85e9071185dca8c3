# A thread that comes back from detached code while Python ends: it hangs for good from 3.14 on,
# and so does who waits for its end.
# from: 3.14
# ways: attach core
# once: core
# site: locks
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^no deadlock was found$
# gdb-check: ^thread 1 .*sleeps
# gdb-check: ^thread 2 .*waits for the GIL in demo::.*; Python is being finalized: who attaches now hangs for good
# gdb-command: pyo3-threads
# gdb-check: ^2 .*waits for the GIL  demo::
# gdb-command: info pyo3
# gdb-check: ^Threads    2: .*finalizing Python
import os
import threading
import time

import scene
import demo


class Last:
    def __del__(self, sleep=time.sleep, open=os.open, path=os.environ["P3_TRUTH"] + ".ready"):
        sleep(1)
        open(path, 0o101)  # to write, and to make
        sleep(1000)


last = Last()
last.itself = last
threading.Thread(target=demo.lazy, daemon=True).start()
time.sleep(0.1)
