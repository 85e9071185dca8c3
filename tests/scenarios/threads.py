# ways: attach core gdbserver
# gdb-command: pyo3-bt -all
# gdb-check: Thread 1 \(LWP \d+\) "MainThread", (sleeps|is in select\(\))$
# gdb-check: #[\d.]+ +py    last \(\)
# gdb-check: #\d+ +rust  demo::variadic .*called as demo.variadic
# gdb-check: #\d+ +py    Call.__call__ \(self=<Call at 0x[0-9a-f]+>\)
# gdb-check: #\d+ +rust  demo::Counter::__call__ \(.*called as demo.Counter.__call__
# gdb-check: #\d+ +py    key \(x=3, many=\.\.\., \*\*kwargs=\{\}\)
# gdb-check: #\d+ +py    <module>
# gdb numbers threads as it finds them: any order
# gdb-check-anywhere: Thread \d+ \(LWP \d+\) "w\\x1b\[31m"
# gdb-check-anywhere: #\d+ +rust  demo::callback \(f=<function leaf>\)
# gdb-check-anywhere: "detached"
# gdb-check-anywhere: #\d+ +rust  demo::wait_detached
# gdb-check-anywhere: "spawner"
# gdb-check-anywhere: #\d+ +rust  demo::from_thread
# in a core, gdb has no name for it
# gdb-check-anywhere: Thread \d+ \(LWP \d+\)( "rust-worker")?(, .*)?$
# gdb-check-anywhere: #[\d.]+ +py    leaf \(\)
# gdb-check-anywhere: #\d+ +rust  demo::from_thread::\{closure#0\}::\{closure#0\}
# gdb-command: info pyo3
# gdb-check: Python     CPython 3\.\d+\.\d+
# gdb-check: Rust       .*/demo.so
# gdb-check: tier      dwarf
# gdb-check: rustc     1\.\d+\.\d
# gdb-check: PyO3      0\.30\.
# gdb-check: printers  rustc's own
import threading

import scene
import demo


def leaf():
    scene.hold()


def last():
    scene.ready(threads=2)


class Call:
    def __call__(self):
        return demo.variadic(last, 1, k=2)


def worker():
    demo.callback(leaf)


# a name that must not reach the terminal as it is
threading.Thread(target=worker, name="w\x1b[31m", daemon=True).start()
threading.Thread(target=lambda: demo.wait_detached(), name="detached", daemon=True).start()
threading.Thread(target=lambda: demo.from_thread(leaf), name="spawner", daemon=True).start()


def key(x, many={"a": [1, 2, (3,)], "s": {1}}, **kwargs):
    return demo.Counter("lab")(Call())


sorted([3, 1, 2], key=key)
