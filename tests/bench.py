# SPDX-License-Identifier: MIT OR Apache-2.0
"""pyo3-bt beside gdb's bt, CPython's py-bt, pystack and py-spy: medians and ratios.

Every row is measured side by side on one stopped process. "first" is the first
time in a fresh gdb; "next" is at a later stop (gdb's frames are flushed, as a
step would). Peers that are programs are timed whole, and so is gdb for them.
"""
import os
import re
import statistics
import subprocess
import time

from gdbtest import BUILD, GDB, HERE, SITE, SOURCE, SUPPORTED, find_interpreters

PEERS = os.environ["P3_PEERS"]
ROUNDS = int(os.environ.get("P3_ROUNDS", "3"))

PROGRAM = """
import sys, threading, time
sys.path.insert(0, %(site)r)
import demo
sys.setrecursionlimit(1000000)
threading.stack_size(512 << 20)
kind, n, ready = sys.argv[1], int(sys.argv[2]), sys.argv[3]
def wait():
    open(ready, "w").close()
    while True:
        time.sleep(1000)
def cb(depth):
    return inner(depth)
def inner(depth):
    return demo.recurse(depth, cb) if depth else wait()
def plain(depth):
    return plain(depth - 1) if depth else wait()
def idle():
    demo.callback(lambda: time.sleep(1000))
if kind == "threads":
    threading.stack_size(1 << 20)
    for _ in range(n):
        threading.Thread(target=idle, daemon=True).start()
    n = 3
    threading.stack_size(512 << 20)
thread = threading.Thread(target=lambda: plain(n) if kind == "plain" else inner(n))
thread.start()
thread.join()
""" % {"site": SITE}

TIMER = r"""
import gdb, time
def timed(command):
    start = time.perf_counter()
    output = gdb.execute(command, to_string=True)
    print("TIME %.3f %d %s" % ((time.perf_counter() - start) * 1000, output.count("\n"), command))
def later():
    gdb.execute("maint flush register-cache", to_string=True)
def peak():
    with open("/proc/self/status") as file:
        print("PEAK", [line.split()[1] for line in file if line.startswith("VmHWM")][0])
"""


def start_program(python, kind, n):
    script, ready = os.path.join(BUILD, "bench-program.py"), os.path.join(BUILD, "bench.ready")
    with open(script, "w") as file:
        file.write(PROGRAM)
    if os.path.exists(ready):
        os.unlink(ready)
    process = subprocess.Popen([python, script, kind, str(n), ready], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    for _ in range(600):
        if os.path.exists(ready):
            time.sleep(0.3)
            return process
        if process.poll() is not None:
            return None
        time.sleep(0.1)
    process.kill()
    return None


def gdb_session(arguments, commands, plugin=True):
    timer = os.path.join(BUILD, "bench-timer.py")
    with open(timer, "w") as file:
        file.write(TIMER)
    line = [GDB, "-nx", "-batch", "-iex", "set debuginfod enabled off", "-iex",
            "set auto-load python-scripts off", "-ex", "set pagination off", "-ex", "set width 0"]
    if plugin:
        line += ["-ex", "source " + SOURCE]
    line += ["-ex", "source " + timer]
    for command in commands:
        line += ["-ex", command]
    start = time.perf_counter()
    output = subprocess.run(line + arguments, capture_output=True, text=True,
                            errors="replace").stdout
    whole = (time.perf_counter() - start) * 1000
    times = [(float(a), int(b)) for a, b in re.findall(r"^TIME (\S+) (\d+)", output, re.M)]
    peaks = [int(text) / 1024 for text in re.findall(r"^PEAK (\d+)", output, re.M)]
    return times, peaks, whole


def median(values):
    return statistics.median(values) if values else None


def measure(arguments, command, select, setup=()):
    """Medians of the first and of a later time, lines, and the MB added to gdb's peak."""
    firsts, nexts, lines, added = [], [], 0, []
    for _ in range(ROUNDS):
        times, peaks, _ = gdb_session(arguments, list(setup) + [
            select, "python peak()", "python timed(%r)" % command, "python later()",
            "python timed(%r)" % command, "python peak()"])
        if len(times) == 2 and len(peaks) == 2:
            firsts.append(times[0][0])
            nexts.append(times[1][0])
            lines = times[0][1]
            added.append(peaks[1] - peaks[0])
    return median(firsts), median(nexts), lines, median(added)


def whole_time(command):
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode == 0:
            times.append((time.perf_counter() - start) * 1000)
    return median(times)


def show(value, unit="ms"):
    return "%9.1f %s" % (value, unit) if value is not None else "        -   "


def ratio(ours, theirs):
    return "%7.1fx" % (theirs / ours) if ours and theirs else "      -"


NEEDED = []


def need(what, value, limit, at_least=True):
    """A ratio that must hold: README.md says which."""
    if value is None:
        NEEDED.append("  ?        %s: not measured" % what)
        return
    holds = value >= limit if at_least else value <= limit
    NEEDED.append("  %-8s %s: %.2f (%s %s)" % ("holds" if holds else "MISSED", what, value,
                                              "at least" if at_least else "at most", limit))


def over(theirs, ours):
    return theirs / ours if ours and theirs else None


def row(label, arguments, select, python, pid):
    ours = measure(arguments, "pyo3-bt", select)
    bt = measure(arguments, "bt", select)
    helper = os.path.realpath(python) + "-gdb.py"
    py_bt = (None,) * 4
    if os.path.exists(helper):
        py_bt = measure(arguments, "py-bt", select, ["source " + helper])
    print("%s" % label)
    for name, peer in (("pyo3-bt", ours), ("bt", bt), ("py-bt", py_bt)):
        print("  %-24s first %s %s   next %s %s   %6s lines   %s MB added to gdb's peak"
              % (name, show(peer[0]), ratio(ours[0], peer[0]), show(peer[1]),
                 ratio(ours[1], peer[1]), peer[2], round(peer[3]) if peer[3] is not None else "-"),
              flush=True)
    found = {"first/bt": over(bt[0], ours[0]), "next/bt": over(bt[1], ours[1]),
             "first/py-bt": over(py_bt[0], ours[0]), "memory": over(ours[3], bt[3]),
             "a frame": ours[1] / bt[2] if ours[1] and bt[2] else None}
    if pid:
        line = [GDB, "-nx", "-batch", "-iex", "set debuginfod enabled off", "-iex",
                "set auto-load python-scripts off", "-p", str(pid), "-ex", "source " + SOURCE,
                "-ex", "pyo3-bt -all"]
        whole = whole_time(line)
        print("  whole process:           pyo3-bt -all %s" % show(whole))
        for name, command in (
                ("pystack --native-all", [PEERS + "/pystack", "remote", "--native-all", str(pid)]),
                ("py-spy dump --native", [PEERS + "/py-spy", "dump", "--native", "--pid",
                                          str(pid)])):
            if not os.path.exists(command[0]):
                print("  %-24s                 not installed" % name)
                continue
            value = whole_time(command)
            found[name] = over(value, whole)
            print("  %-24s             %s %s" % (name, show(value) if value else "        fails",
                                                 ratio(whole, value)), flush=True)
    return found


def load_time():
    """What loading the plugin adds to gdb's start, and an objfile to its loading."""
    def once(commands):
        begin = time.perf_counter()
        subprocess.run([GDB, "-nx", "-batch"] + commands, capture_output=True)
        return (time.perf_counter() - begin) * 1000

    def start(*lists):
        """Medians, taken in turn, so that what else the machine does falls on all alike."""
        rounds = [[once(commands) for commands in lists] for _ in range(15)]
        return [statistics.median(column) for column in zip(*rounds)]
    plain, loaded = ["-ex", "python import sys"], ["-ex", "source " + SOURCE]
    without, with_it = start(plain, loaded)
    print("loading the plugin: gdb starts in %.1f ms, with it in %.1f ms (%+.1f %%)"
          % (without, with_it, (with_it / without - 1) * 100))
    need("loading the plugin, % of gdb's start", (with_it / without - 1) * 100, 5, False)
    library = next((path for path in re.findall(
        r"=> (/\S+)", subprocess.run(["ldd", GDB if os.path.exists(GDB) else "/bin/sh"],
                                     capture_output=True, text=True).stdout)), "/bin/sh")
    many = ["-ex", "python import gdb\nfor i in range(200): "
                   "gdb.execute('symbol-file %s', to_string=True)" % library]
    quiet, event = start(plain + many, loaded + many)
    event -= quiet + with_it - without
    print("a new_objfile event of %s: %+.3f ms" % (library, event / 200))
    need("a new_objfile event of a non-Rust file, % of gdb's start",
         event / 200 / without * 100, 5, False)


PYDANTIC = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pydantic_core import SchemaValidator, core_schema as s
def stop(value):
    open(sys.argv[2], "w").close()
    while True:
        time.sleep(1000)
number = s.no_info_after_validator_function(stop, s.int_schema())
inner = s.typed_dict_schema({"a": s.typed_dict_field(s.list_schema(number))})
field = s.model_field(s.union_schema([s.str_schema(), inner]))
SchemaValidator(s.model_fields_schema({"x": field})).validate_python({"x": {"a": [1, 2]}})
"""


def start_pydantic(python):
    """A release build with debug = 2 of a large extension, in a Python callback; or None."""
    site = os.environ.get("P3_PYDANTIC", "")
    if not os.path.isdir(site):
        return None
    script, ready = os.path.join(BUILD, "bench-pydantic.py"), os.path.join(BUILD, "bench.ready")
    with open(script, "w") as file:
        file.write(PYDANTIC)
    if os.path.exists(ready):
        os.unlink(ready)
    process = subprocess.Popen([python, script, site, ready], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    for _ in range(100):
        if os.path.exists(ready):
            return process
        time.sleep(0.1)
    process.kill()
    return None


def main():
    pythons = [item.path for item in find_interpreters()
               if item.version[:2] in SUPPORTED and not item.build]
    # 3.12 and newer limit how deep C may recurse: 1,000 crossings need 3.11.
    python = next((p for p in pythons if os.path.exists(os.path.realpath(p) + "-gdb.py")),
                  pythons[0])
    print("# %s, %s, median of %d; the ratio is the peer's time to ours"
          % (subprocess.run([GDB, "--version"], capture_output=True,
                            text=True).stdout.splitlines()[0], python, ROUNDS))
    newest = "python [t.switch() for t in gdb.selected_inferior().threads() if t.num == " \
             "max(x.num for x in gdb.selected_inferior().threads())]"
    found = {}
    for label, kind, n in (("20 crossings", "crossings", 20), ("100 crossings", "crossings", 100),
                           ("1,000 crossings", "crossings", 1000),
                           ("200 threads", "threads", 200),
                           ("recursion, 40,000 Python frames", "plain", 40000)):
        process = start_program(python, kind, n)
        if not process:
            print("%s: the program could not be started" % label)
            continue
        try:
            found[n] = row(label, ["-p", str(process.pid)], newest, python, process.pid)
            if n == 100:
                core = os.path.join(BUILD, "bench.core")
                subprocess.run([GDB, "-nx", "-batch", "-p", str(process.pid), "-ex",
                                "gcore " + core], capture_output=True)
                row("100 crossings, on a core", [python, core], "thread 2", python, None)
                os.unlink(core)
        finally:
            process.kill()
            process.wait()
    process = start_pydantic(python)
    if process:
        found["pydantic"] = row("pydantic-core, release with debug = 2",
                                ["-p", str(process.pid)], "thread 1", python, process.pid)
        process.kill()
        process.wait()
    none = {}
    deep, middle, large = (found.get(k, none) for k in (1000, 100, "pydantic"))
    need("first pyo3-bt vs first bt, 1,000 crossings", deep.get("first/bt"), 25)
    need("first pyo3-bt vs py-bt, 1,000 crossings", deep.get("first/py-bt"), 25)
    need("later pyo3-bt vs later bt, 1,000 crossings", deep.get("next/bt"), 40)
    need("first pyo3-bt vs first bt, 100 crossings", middle.get("first/bt"), 5)
    need("later pyo3-bt vs later bt, 100 crossings", middle.get("next/bt"), 10)
    need("first pyo3-bt vs first bt, pydantic-core with debug = 2", large.get("first/bt"), 12)
    need("whole process vs pystack, 1,000 crossings", deep.get("pystack --native-all"), 1)
    need("time a frame at 18,000 frames vs at 1,800", over(deep.get("a frame"),
                                                           middle.get("a frame")), 1.2, False)
    need("memory added vs what bt adds, pydantic-core", large.get("memory"), 0.2, False)
    load_time()
    print("what must hold:")
    print("\n".join(NEEDED))


main()
