# Rust functions by their names in Python: pending, imported, renamed, properties, slots; one by one.
# ways: live
# truth: none
# gdb-command: pyo3-break demo.Counter.add
# gdb-command: pyo3-break demo.renamed
# gdb-command: pyo3-break Counter.fails
# gdb-command: pyo3-break demo.Counter.__new__
# gdb-command: info breakpoints
# gdb-check: ^1 .*demo.Counter.add
# gdb-command: run
# gdb-check: ^Breakpoint -\d+, demo::Counter::__pymethod___new____
# gdb-command: continue
# gdb-check: ^Breakpoint -\d+, demo::Counter::add
# gdb-command: pyo3-bt
# gdb-check: ^#0 +rust  demo::Counter::add
# gdb-command: complete pyo3-break demo.ren
# gdb-check: ^pyo3-break demo.renamed$
# gdb-command: pyo3-break demo.callback
# gdb-check: ^Breakpoint \d+ at 0x[0-9a-f]+: file src/lib.rs, line
# gdb-command: pyo3-break Counter.stat
# gdb-check: ^Breakpoint \d+ at 0x[0-9a-f]+: file src/lib.rs, line
# gdb-command: disable 1
# gdb-command: continue
# gdb-check-not: Counter::add
# gdb-check: ^Breakpoint -\d+, demo::rust_name
# gdb-command: pyo3-bt
# gdb-check: called as demo.renamed$
# gdb-command: continue
# gdb-check: ^Breakpoint -\d+, demo::Counter::fails
# gdb-command: continue
# gdb-check: Breakpoint \d+, demo::callback
# gdb-command: continue
# gdb-check: Breakpoint \d+, demo::Counter::stat
# gdb-command: pyo3-break demo.callback
# gdb-check: does this already
import scene
import demo

counter = demo.Counter("lab")
counter.add(3)
counter.add(4)
demo.renamed(lambda: 1)
try:
    counter.fails
except BaseException:
    pass
demo.callback(lambda: 1)
demo.Counter.stat(lambda: 1)
