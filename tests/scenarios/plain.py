# Python alone: no extension in the process.
# ways: attach core
# once: core
# extension: none
# gdb-command: pyo3-bt -full
# gdb-check: #[\d.]+ +py    leaf \(n=3, many=\.\.\.\)
# gdb-check: text = 'h\u00e9llo'
# gdb-check: number = 1000000000000000000000000000000
# gdb-check: error = ValueError\('no'\)
# gdb-check: #[\d.]+ +py    generator \(\)
# gdb-check: #[\d.]+ +py    (Key.)?method \(self=<Key at 0x[0-9a-f]+>, item=2\)
# gdb-check: #[\d.]+ +py    <module>
# gdb-command: pyo3-exception
# gdb-check: ^ValueError\('no'\), being handled
# gdb-check: line \d+, in leaf
import scene


def leaf(n, many):
    text, number = "h\u00e9llo", 10 ** 30
    try:
        raise ValueError("no")
    except ValueError as error:
        scene.ready()


def generator():
    yield leaf(3, {"a": [1, (2,)], "b": {3}})


class Key:
    def method(self, item):
        return next(generator())


sorted([2, 1], key=Key().method)
