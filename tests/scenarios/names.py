# Each Rust function carries the name Python called it by, renamed ones too.
# ways: attach core
# gdb-command: pyo3-bt
# gdb-check: #\d+ +rust  demo::variadic .*  called as demo.variadic$
# gdb-check: #\d+ +rust  demo::Counter::each .*  called as demo.Counter.each$
# gdb-check: #\d+ +rust  demo::Counter::stat .*  called as demo.Counter.stat$
# gdb-check: #\d+ +rust  demo::rust_name .*  called as demo.renamed$
# gdb-check: #\d+ +py    Class.method
import scene
import demo


def leaf():
    scene.ready()


def each():
    demo.Counter("x").each(lambda item: demo.variadic(leaf, k=1))


class Class:
    def method(self):
        demo.renamed(lambda: demo.Counter.stat(each))


Class().method()
