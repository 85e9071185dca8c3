# gdb's own print, bt and info args show what PyO3's types hold.
# ways: live
# truth: none
# not: embedded
# gdb-command: set breakpoint pending on
# gdb-command: set print frame-arguments all
# gdb-command: break demo::callback
# gdb-command: run
# gdb-check: demo::callback \(f=<function stop>\)
# gdb-command: print f
# gdb-check: ^\$1 = <function stop>$
# gdb-command: info args
# gdb-check: ^f = <function stop>$
# gdb-command: delete
# gdb-command: break demo::Counter::__call__
# gdb-command: continue
# gdb-command: print f
# gdb-check: ^\$2 = <.*Counter at 0x[0-9a-f]+: Counter \{value: 0, items: \[1, 2, 3\], label: "inner"\}.*>$
import scene
import demo


def stop():
    pass


demo.callback(stop)
demo.Counter("outer")(demo.Counter("inner"))
