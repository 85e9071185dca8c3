# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the tests that run gdb share: interpreters, programs, gdb, results.

Environment: P3_SITE (folder of demo.so), P3_BUILD (scratch), P3_PYO3_GDB
(pyo3.gdb), P3_SCHEMAS, GDB.
"""

import glob
import os
import re
import signal
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ["P3_BUILD"]
SITE = os.environ["P3_SITE"]
GDB = os.environ.get("GDB", "gdb")
SOURCE = os.environ["P3_PYO3_GDB"]
SUPPORTED = tuple((3, minor) for minor in range(8, 16))
results = {"PASS": 0, "FAIL": 0}


class Failure(Exception):
    pass


aliases = {}


def same_symbol(one, other, module):
    """Two names of one address in a stripped library (malloc, __libc_malloc): which of them
    gdb takes depends on where its memory happens to be."""
    if module not in aliases:
        table = aliases[module] = {}
        listing = subprocess.run(["nm", "-D", "--defined-only", module or "/nowhere"],
                                 capture_output=True, text=True).stdout
        for line in listing.splitlines():
            fields = line.split()
            if len(fields) == 3:
                table.setdefault(fields[2].split("@")[0], fields[0])
    table = aliases[module]
    return one in table and table[one] == table.get(other)


class Interpreter:
    """One to test: `build` is "" of a release build, else what is special."""

    def __init__(self, path, version, build="", env=None):
        self.path, self.version, self.build, self.env = path, version, build, env or {}

    def __str__(self):
        return self.path

    def row(self):
        """How the table of what ran calls it: "3.13", "3.13t", "3.11 trace-refs"."""
        return "%d.%d%s" % (self.version[:2] + (self.build,))

    def site(self, form=""):
        """The folder of an extension that it can load: abi3-py310, or older; None: no one."""
        if "trace-refs" in self.build:
            return None
        own = "threaded" if "t" in self.build.split() else "" if self.version[:2] >= (3, 10) else "old"
        return os.path.join(SITE, form or own)


def report(name, problem=None):
    word = "FAIL" if problem else "PASS"
    results[word] += 1
    print(word, name, flush=True)
    if problem:
        print("\n".join("#   " + line for line in str(problem).splitlines()), flush=True)


ASK = """import sys, sysconfig
print("%d.%d.%d" % sys.version_info[:3])
if sysconfig.get_config_var("Py_GIL_DISABLED"): print("t")
if hasattr(sys, "gettotalrefcount"): print("debug")
if hasattr(sys, "getobjects"): print("trace-refs")
if hasattr(sys, "_jit") and sys._jit.is_available(): print("jit")
"""


def ask_interpreter(path):
    """What it is, and once more with its JIT switched on; none: it does not run. The build has
    a space before words: "t", " debug"."""
    words = subprocess.run([path, "-c", ASK], capture_output=True, text=True).stdout.split()
    if not words:
        return []
    version = tuple(map(int, words[0].split(".")))
    build = "".join(word if word == "t" else " " + word for word in words[1:] if word != "jit")
    interpreters = [Interpreter(path, version, build)]
    if "jit" in words:
        interpreters.append(Interpreter(path, version, build + " jit", {"PYTHON_JIT": "1"}))
    return interpreters


def find_interpreters():
    """Every python3.X of PATH and pyenv that is a program (pyenv's shims are scripts), those of
    P3_PYTHONS, and a Rust program with one within (P3_EMBEDDED)."""
    folders = os.environ["PATH"].split(os.pathsep)
    folders += sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin")))
    found = {}
    paths = os.environ.get("P3_PYTHONS", "").split()
    for folder in folders:
        paths += [path for path in sorted(glob.glob(os.path.join(folder, "python3.*")))
                  if re.fullmatch(r"python3\.\d+[dt]?", os.path.basename(path))]
    for path in paths:
        real = os.path.realpath(path)
        with open(real, "rb") as file:
            if file.read(4) == b"\x7fELF":
                found.setdefault(real, path)
    interpreters = [item for path in found.values() for item in ask_interpreter(path)]
    embedded = os.environ.get("P3_EMBEDDED")
    if embedded:
        for interpreter in ask_interpreter(embedded):
            interpreter.build += " embedded"
            interpreters.append(interpreter)
    return sorted(interpreters, key=lambda item: (item.version, item.build))


# ---- the Python half of a stack, and the truth about it ----


def parse_truth(path, start=0):
    """faulthandler's file, from a byte on, as [[(file, line, name), ...] for each thread]."""
    threads = []
    with open(path, "rb") as file:
        file.seek(start)
        for line in file.read().decode("utf-8", "replace").splitlines():
            if "most recent call first" in line:
                threads.append([])
            match = re.match(r'  File "(.*)", line (\d+) in (.*)$', line)
            if match and threads:
                threads[-1].append((match.group(1), int(match.group(2)), match.group(3)))
            elif "<invalid frame>" in line and threads:
                threads[-1].append(None)  # it knows no further
    return [thread for thread in threads if thread]


def ascii_name(text):
    return text.encode("ascii", "backslashreplace").decode()


def python_frames(stack):
    """The same of `pyo3-bt -all -json`."""
    threads = []
    for thread in stack["threads"]:
        frames = [(ascii_name(f["file"]), f["line"], ascii_name(f["function"].split(".")[-1]))
                  for f in thread["frames"] if f["language"] == "python"]
        if frames:
            threads.append(frames[:100])  # faulthandler's own limit
    return threads


# ---- programs and gdb ----


def environment(truth):
    variables = dict(os.environ, P3_SITE=os.environ.get("P3_SITE", SITE), P3_TRUTH=truth, RUST_BACKTRACE="0",
                     PYTHONDONTWRITEBYTECODE="1")
    variables.pop("PYTHONPATH", None)
    return variables


def start(python, script, truth, prefix=()):
    for path in (truth, truth + ".ready"):
        if os.path.exists(path):
            os.unlink(path)
    env = {**environment(truth), **getattr(python, "env", {})}
    return subprocess.Popen([*prefix, str(python), script], env=env, cwd=BUILD,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for(path, process=None, seconds=60):
    end = time.time() + seconds
    while not os.path.exists(path):
        if time.time() > end or (process and process.poll() is not None):
            raise Failure("%s did not come" % path)
        time.sleep(0.05)


def ready_pid(process, truth):
    """The process to look at: that which is ready, and need not be the one that was started."""
    with open(truth + ".ready") as file:
        return int(file.read() or process.pid)


def ask_truth(pid, truth):
    """Let CPython write its stacks, and wait until it is done."""
    os.kill(pid, signal.SIGUSR1)
    size, end = -1, time.time() + 20
    while time.time() < end:
        now = os.path.getsize(truth)
        if now == size and now:
            return
        size = now
        time.sleep(0.2)
    raise Failure("faulthandler wrote nothing")


def run_gdb(arguments, commands, env=None, seconds=120, source=True):
    line = [GDB, "-nx", "-batch", "-iex", "set debuginfod enabled off", "-iex",
            "set auto-load safe-path /nowhere", "-ex", "set width 0",
            "-ex", "set style enabled off"]
    if source:
        line += ["-ex", "source " + SOURCE]
        if os.environ.get("P3_UNWINDER"):
            line += ["-ex", "set pyo3 unwinder " + os.environ["P3_UNWINDER"]]
    # A gdb of PyPI has its own Python, and tells the inferior so.
    path = (env or os.environ).get("PYTHONPATH")
    line += ["-ex", "unset environment PYTHONHOME", "-ex",
             "set environment PYTHONPATH " + path if path else "unset environment PYTHONPATH"]
    for command in commands:
        line += ["-ex", command]
    done = subprocess.run(line + arguments, env=env, cwd=BUILD, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds)
    return done.stdout.decode("utf-8", "replace")


def bare_name(name):
    """The last part of a function's name, without generic arguments and hash."""
    name = re.sub(r"::h[0-9a-f]{16}$", "", name)
    depth, kept = 0, []
    for i, char in enumerate(name):
        if char == "<":
            depth += 1
        elif char == ">" and name[i - 1] != "-" and depth:
            depth -= 1
        elif not depth:
            kept.append(char)
    return "".join(kept).split("::")[-1].replace("{{closure}}", "{closure}")
