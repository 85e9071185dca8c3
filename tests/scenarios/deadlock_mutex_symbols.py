# A Mutex and the GIL, by symbols alone: of what kind the lock is was inlined.
# ways: attach core
# once: core
# site: symbols
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^deadlock: thread 1 "MainThread" holds the GIL and waits for the lock demo::LOCK_A in 
# gdb-check: ^          thread 2 "holder" probably holds the lock demo::LOCK_A \(the only other thread in demo.so\) and waits for the GIL in release, .*deadlock_mutex.py:\d+
import deadlock_mutex
