# Three threads, three Mutexes of one array, and no Python in it.
# ways: attach core
# once: core
# site: locks
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^deadlock: thread \d+ ("[^"]+" )?holds the Mutex demo::CHAIN\+0x[0-9a-f]+ \(guard .first. in demo::chain.*\) and waits for the Mutex demo::CHAIN\+0x[0-9a-f]+
# gdb-check: ^          thread \d+ ("[^"]+" )?holds the Mutex demo::CHAIN\+0x[0-9a-f]+ .* and waits for the Mutex demo::CHAIN\+0x[0-9a-f]+
# gdb-check: ^          thread \d+ ("[^"]+" )?holds the Mutex demo::CHAIN\+0x[0-9a-f]+ .* and waits for the Mutex demo::CHAIN\+0x[0-9a-f]+
# gdb-command: print $_pyo3_deadlock
# gdb-check: = 1$
import threading
import time

import scene
import demo


for number in range(3):
    threading.Thread(target=demo.chain, args=(number,), name="link%d" % number, daemon=True).start()
time.sleep(0.6)
scene.ready()
