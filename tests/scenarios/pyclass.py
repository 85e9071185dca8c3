# The Rust struct in an object of a #[pyclass], and who has borrowed it.
# ways: attach core
# once: core
# gdb-command: pyo3-bt -full
# gdb-check: ^ +mine = <(builtins\.)?Counter at 0x[0-9a-f]+: Counter \{value: 7, items: \[1, 2, 3, 3, 7\], label: "lab"\}, borrowed 1 time>
# gdb-check: ^ +free = <(builtins\.)?Counter at 0x[0-9a-f]+: Counter \{value: 0, items: \[1, 2, 3\], label: "free"\}>
# gdb-command: pyo3-frame 0
# gdb-command: pyo3-up 99
# gdb-command: pyo3-print other
# gdb-check: ^global other = <(builtins\.)?Counter at 0x[0-9a-f]+: Counter \{value: 0, items: \[1, 2, 3\], label: "free"\}>
import scene
import demo

counter, other = demo.Counter("lab"), demo.Counter("free")
counter.add(3)
counter.add(4)


def stay():
    mine, free = counter, other
    scene.ready()


counter(stay)
