# A Mutex and the GIL, with nothing but Python's names.
# ways: attach core
# once: core
# site: stripped
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^deadlock: thread 1 "MainThread" holds the GIL and waits for the lock demo.so \+0x[0-9a-f]+ in demo.want_mutex
# gdb-check: ^          thread 2 "holder" probably holds the lock demo.so \+0x[0-9a-f]+ \(the only other thread in demo.so\) and waits for the GIL in release, .*deadlock_mutex.py:\d+
import deadlock_mutex
