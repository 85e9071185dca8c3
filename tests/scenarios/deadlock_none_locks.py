# No deadlocks: an idle rayon pool, a condition, PyO3's own cell.
# ways: attach core
# once: core
# site: locks
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^no deadlock was found
# gdb-check-anywhere: waits for work of rayon's
# gdb-check-anywhere: "condition" waits for Condvar in demo::wait_condition
# gdb-check-not: deadlock:
# gdb-command: print $_pyo3_deadlock
# gdb-check: = 0$
import threading
import time

import scene
import demo



def start(name, target, *args):
    threading.Thread(target=target, args=args, name=name, daemon=True).start()


demo.install_detached()
start("condition", demo.wait_condition)
start("making", demo.once, lambda: time.sleep(1000) or 1)
time.sleep(0.1)
start("waiting", demo.once, lambda: 2)
scene.ready()
