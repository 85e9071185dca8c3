# Without symbols it is seen where the exception is raised, and the object in memory.
# ways: live
# site: stripped
# truth: none
# gdb-command: pyo3-break-borrow
# gdb-command: run
# gdb-check: ^PyO3: Already borrowed$
# gdb-check: ^  <\S*Counter at 0x[0-9a-f]+>: borrowed 1 time, wanted mutably$
# gdb-check: ^  probably by thread 1 "MainThread" in Counter.__call__, which was called with it$
# gdb-check: ^#\d+ +rust  Counter.add \(\)
# gdb-check: ^#\d+ +py    reenter
# gdb-check: ^#\d+ +rust  Counter.__call__ \(\)
# gdb-command: continue
# gdb-check: ^caught Already borrowed$
# gdb-check: ^PyO3: Already borrowed$
# gdb-check: ^  probably by thread 2 "holder" in Counter.__call__, which was called with it$
# gdb-command: disable
# gdb-command: continue
# gdb-check: ^caught Already borrowed$
# gdb-check-not: PyO3:
# gdb-check: exited normally
# gdb-command: enable
# gdb-command: run
# gdb-check: ^PyO3: Already borrowed$
import scene
import demo
import threading

counter = demo.Counter("lab")
inside, done = threading.Event(), threading.Event()


def reenter():
    try:
        counter.add(1)
    except RuntimeError as error:
        print("caught", error, flush=True)


def stay():
    inside.set()
    done.wait()


counter(reenter)
thread = threading.Thread(target=counter, args=(stay,), name="holder")
thread.start()
inside.wait()
reenter()
reenter()
done.set()
thread.join()
