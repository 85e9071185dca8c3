# Work for rayon that needs the GIL, waited for under the GIL.
# ways: attach core
# once: core
# site: locks
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^deadlock: thread \d+ ("\S+" )?holds the GIL and waits for a job of rayon's in demo::install
# gdb-check: ^          thread \d+ ("\S+" )?probably runs a job of rayon's .* and waits for the GIL in demo::install::\{closure#0\}
import scene
import demo

scene.say_ready()
demo.install()
