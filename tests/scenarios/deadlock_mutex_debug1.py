# A Mutex and the GIL, without variables.
# ways: attach core
# once: core
# site: debug1
# truth: none
# gdb-command: pyo3-deadlock
# gdb-check: ^deadlock: thread 1 "MainThread" holds the GIL and waits for the Mutex demo::LOCK_A in demo::want_mutex, src/lib.rs:\d+
# gdb-check: ^          thread 2 "holder" probably holds the Mutex demo::LOCK_A \(the only other thread in demo.so\) and waits for the GIL in release, .*deadlock_mutex.py:\d+
import deadlock_mutex
