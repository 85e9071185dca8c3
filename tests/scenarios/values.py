# ways: attach core
# gdb-command: pyo3-bt -full
# gdb-check: #\d+ +rust  demo::values \(number=-7, text="text", f=<function stop>\) at src/lib.rs
# gdb-check-anywhere: ^        small = -5$
# gdb-check-anywhere: ^        wide = 18446744073709551615$
# gdb-check-anywhere: ^        huge = 0xffffffffffffffc00000000000000000$
# gdb-check-anywhere: ^        yes = true$
# gdb-check-anywhere: ^        letter = '\S+'$
# gdb-check-anywhere: ^        half = 0\.5$
# gdb-check-anywhere: ^        single = 1\.25$
# gdb-check-anywhere: ^        unit = \(\)$
# gdb-check-anywhere: ^        owned = "h\S+llo\\n\\x1b\[31m"$
# gdb-check-anywhere: ^        boxed_text = "boxed"$
# gdb-check-anywhere: ^        empty = ""$
# gdb-check-anywhere: ^        slice = \[1, 2, 3\]$
# gdb-check-anywhere: ^        array = \[\[1, 2\], \[3, 4\]\]$
# gdb-check-anywhere: ^        list = \[Some\(1\), None, Some\(3\)\]$
# gdb-check-anywhere: ^        long = \[0, 1, .*, 49, \.\.\.\]$
# gdb-check-anywhere: ^        queue = \[0, 1, 2, 9\]$
# gdb-check-anywhere: ^        pair = \(1, "two"\)$
# gdb-check-anywhere: ^        shapes = \[Shape::Point, Shape::Circle\(1\.5\), Shape::Rect \{width: 3, height: 4\}\]$
# gdb-check-anywhere: ^        level = Level::High$
# gdb-check-anywhere: ^        nothing = None$
# gdb-check-anywhere: ^        something = Some\(Box\(Shape::Circle\(2\.0\)\)\)$
# gdb-check-anywhere: ^        fine = Ok\(3\)$
# gdb-check-anywhere: ^        wrong = Err\("no"\)$
# gdb-check-anywhere: ^        shared = Rc\(\[1, 2\], strong=2\)$
# gdb-check-anywhere: ^        atomic = Arc\(42, strong=1\)$
# gdb-check-anywhere: ^        cell = Cell\(5\)$
# gdb-check-anywhere: ^        ref_cell = RefCell\(\[1\], borrowed 1 time\)$
# gdb-check-anywhere: ^        borrowed = Ref\(\[1\]\)$
# gdb-check-anywhere: ^        mutex = Mutex\(10, locked\)$
# gdb-check-anywhere: ^        guard = MutexGuard\(&Mutex\(10, locked\)\)$
# gdb-check-anywhere: ^        rwlock = RwLock\("data", read-locked 1 time\)$
# gdb-check-anywhere: ^        once = &OnceLock\("cached"\)$
# gdb-check-anywhere: ^        unset = &OnceLock\(<not initialised>\)$
# gdb-check-anywhere: ^        map = \{"one": 1\}$
# gdb-check-anywhere: ^        set = \{7\}$
# gdb-check-anywhere: ^        tree = \{0: "0", 1: "1", .*, 29: "29"\}$
# gdb-check-anywhere: ^        tree_set = \{'a', 'b'\}$
# gdb-check-anywhere: ^        path = "/tmp/x"$
# gdb-check-anywhere: ^        path_ref = "/tmp/x"$
# gdb-check-anywhere: ^        wait = 1\.500000000s$
# gdb-check-anywhere: ^        wrapper = Wrapper \{inner: 3, name: "w"\}$
# gdb-check-anywhere: ^        speaker = \(&dyn demo::Speak\) 0x[0-9a-f]+ <.*speak>$
# gdb-check-anywhere: ^        function = 0x[0-9a-f]+ <demo::checked>$
# gdb-check-anywhere: ^        object = <function stop>$
# gdb-check-anywhere: ^        instance = <\S*Counter at 0x[0-9a-f]+: Counter \{value: 0, items: \[1, 2, 3\], label: "lab"\}, borrowed 1 time>$
# gdb-check-anywhere: ^        error = PyErr\(not made yet\)$
# gdb-check-anywhere: ^        normalized = PyErr\(KeyError\('key'\)\)$
# gdb-check-anywhere: ^        py = Python$
import scene
import demo


def stop():
    scene.ready()


demo.values(-7, "text", stop)
