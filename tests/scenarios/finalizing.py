# A destructor that runs while Python ends: its modules are going, its frames are not.
# faulthandler has been switched off by then: no truth here.
# ways: attach core
# once: core
# truth: none
# not: embedded
# gdb-command: pyo3-bt
# gdb-check: ^Thread 1 \(LWP \d+\).*finalizing
# gdb-check: #[\d.]+ +py    (Last.)?__del__ \(self=<(__main__.)?Last at 0x[0-9a-f]+>.*\) +at .*finalizing.py:\d+
import os
import time

import scene


class Last:
    def __del__(self, sleep=time.sleep, open=os.open, path=os.environ["P3_TRUTH"] + ".ready"):
        open(path, 0o101)  # to write, and to make
        sleep(1000)


last = Last()
last.itself = last
