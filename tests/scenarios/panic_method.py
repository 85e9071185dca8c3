# ways: live
# gdb-command: pyo3-break-panic
# gdb-command: run
# gdb-check: Rust panic: depth must not be 0
# gdb-command: pyo3-bt -full
# gdb-check: #\d+ +rust  demo::checked \(depth=0\)
# gdb-check:         names = \{"depth": 0\}
# gdb-check:         limits = \[30, 10, 20\]
# gdb-check: #\d+ +rust  demo::Counter::add .* called as demo.Counter.add
# gdb-check: #\d+ +py    use \(counter=<\S*Counter at 0x[0-9a-f]+>\)
# gdb-check:         text = 'h\S+llo\\n'
# gdb-check:         bag = \{'a': \[1, 2.5, None\], 'b': \(True,\), 'c': \{3\}\}
# gdb-check:         big = 1267650600228229401496703205376
# gdb-check:         raw = b'\\x00\\xff'
# gdb-check:         point = <Point at 0x[0-9a-f]+: x=1, y=-2>
# gdb-check:         problem = ValueError\('no'\)
# gdb-check:         late = <unbound>
# gdb-check:         cell = 'captured'
# gdb-check: #\d+\.1 +py    <module>
# gdb-command: frame function demo::checked
# once, however often it is sourced:
# gdb-command: python import pyo3_gdb; print("printers:", sum(getattr(p, "name", "") == "rust" for o in gdb.objfiles() for p in o.pretty_printers))
# gdb-check: ^printers: 1$
# gdb-command: print limits
# gdb-check: \$\d+ = Vec\(size=3\) = \{30, 10, 20\}
import scene
import demo


class Point:
    def __init__(self):
        self.x = 1
        self.y = -2


def use(counter):
    text = "h\u00e9llo\n"
    bag = {"a": [1, 2.5, None], "b": (True,), "c": {3}}
    big = 2**100
    raw = b"\x00\xff"
    point = Point()
    problem = ValueError("no")
    cell = "captured"
    keep = lambda: cell
    counter.add(0)
    late = keep


use(demo.Counter("lab"))
