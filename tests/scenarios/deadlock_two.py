# Two mutexes of Rust in opposite order, and no Python in it.
# ways: attach core
# once: core
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^deadlock: thread \d+ ("\S+" )?holds the Mutex demo::LOCK_(A|B) \(guard `_\w+` in .*\) and waits for the Mutex demo::LOCK_(A|B) in demo::two_mutexes
# gdb-check: ^          thread \d+ ("\S+" )?holds the Mutex demo::LOCK_(A|B) \(guard `_\w+` in .*\) and waits for the Mutex demo::LOCK_(A|B) in demo::two_mutexes
import scene
import demo

scene.say_ready()
demo.two_mutexes()
