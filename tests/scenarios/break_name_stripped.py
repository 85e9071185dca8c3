# The same of a stripped module: its functions are known when PyO3 makes them, and from its tables.
# ways: live
# site: stripped
# truth: none
# gdb-command: pyo3-break demo.Counter.add
# gdb-command: pyo3-break demo.renamed
# gdb-command: pyo3-break Counter.fails
# gdb-command: run
# gdb-check: ^Breakpoint -\d+, 0x[0-9a-f]+ in
# gdb-command: pyo3-bt
# gdb-check: ^#0 +rust  Counter.add \(\)
# gdb-command: pyo3-break demo.callback
# gdb-check: ^Breakpoint \d+ at 0x
# gdb-command: delete 1
# gdb-command: continue
# gdb-check: ^Breakpoint -\d+, 0x[0-9a-f]+ in
# gdb-command: pyo3-bt
# gdb-check: ^#0 +rust  demo.renamed \(\)
# gdb-command: continue
# gdb-command: pyo3-bt
# gdb-check: ^#\d+ +rust  Counter.fails \(\)
# gdb-command: continue
# gdb-check: Breakpoint \d+, 0x
# gdb-command: pyo3-bt
# gdb-check: ^#0 +rust  demo.callback \(\)
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
