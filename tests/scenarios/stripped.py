# A stripped extension: what Python calls has Python's names, from the tables that it keeps.
# ways: attach core
# once: core
# site: stripped
# gdb-command: pyo3-bt
# gdb-check: #[\d.]+ +py    leaf \(\)
# gdb-check: #\d+ +rust  demo.callback \(\) +from demo.so, stripped \+0x[0-9a-f]+
# gdb-check: #\d+ +rust  (demo.)?Counter.__call__ \(\) +from demo.so, stripped \+0x[0-9a-f]+
# gdb-check: #\d+ +rust  (demo.)?Counter.each \(\) +from demo.so, stripped \+0x[0-9a-f]+
# gdb-check: #[\d.]+ +py    <module>
# gdb-command: info pyo3
# gdb-check: tier +stripped
import scene
import demo

counter = demo.Counter("lab")
counter.add(2)


def leaf():
    scene.ready()


class Call:
    def __call__(self):
        return demo.callback(leaf)


call = Call()
counter.each(lambda item: counter(call))
