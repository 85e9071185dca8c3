# Exceptions that leave Rust: made there, or on the way through; not those that C code raises.
# ways: live
# truth: none
# gdb-command: pyo3-break-exception
# gdb-command: pyo3-break-exception LookupError
# gdb-command: disable 2
# gdb-command: run
# gdb-check: ^Rust raises TypeError\(.*'str' object cannot be interpreted as an integer"\)$
# gdb-check: ^  in demo.so$
# gdb-check: ^#[\d.]+ +py    <module>
# gdb-command: continue
# gdb-check: ^caught TypeError$
# gdb-check: ^Rust raises RuntimeError\('Already borrowed'\)$
# gdb-check: ^#[\d.]+ +py    reenter
# gdb-command: continue
# gdb-check: ^Rust raises KeyError\('mine'\)$
# gdb-command: disable 1
# gdb-command: enable 2
# gdb-command: continue
# gdb-check: ^caught KeyError$
# gdb-check-not: TypeError\(
# gdb-check: ^Rust raises KeyError\('mine'\)$
import scene
import demo

counter = demo.Counter("lab")


def attempt(f, *args):
    try:
        f(*args)
    except Exception as error:
        print("caught", type(error).__name__, flush=True)


def reenter():
    try:
        counter.add(1)
    except RuntimeError:
        raise KeyError("mine")


try:
    int("x")
except ValueError:
    pass
try:
    counter.add("x")
except TypeError as error:
    print("caught TypeError", flush=True)
attempt(counter, reenter)
try:
    counter.add("x")
except TypeError:
    pass
attempt(counter, reenter)
