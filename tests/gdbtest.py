# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the tests that run gdb share: interpreters, programs, gdb, results.

Environment: P3_SITE (folder of demo.so), P3_BUILD (scratch), P3_PYO3_GDB
(pyo3.gdb), P3_SCHEMA, GDB.
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


def site_of(version, form=""):
    """The folder of an extension that this interpreter can load: abi3-py310, or older."""
    return os.path.join(SITE, form or ("" if version[:2] >= (3, 10) else "old"))


def report(name, problem=None):
    word = "FAIL" if problem else "PASS"
    results[word] += 1
    print(word, name, flush=True)
    if problem:
        print("\n".join("#   " + line for line in str(problem).splitlines()), flush=True)


def find_interpreters():
    """Every python3.X of PATH and pyenv that is a program (pyenv's shims are scripts)."""
    folders = os.environ["PATH"].split(os.pathsep)
    folders += sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin")))
    found = {}
    for folder in folders:
        for path in sorted(glob.glob(os.path.join(folder, "python3.*"))):
            if not re.fullmatch(r"python3\.\d+", os.path.basename(path)):
                continue
            real = os.path.realpath(path)
            with open(real, "rb") as file:
                if file.read(4) == b"\x7fELF":
                    found.setdefault(real, path)
    interpreters = []
    for path in found.values():
        text = subprocess.run(
            [path, "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"],
            capture_output=True, text=True).stdout.strip()
        if text:
            interpreters.append((tuple(map(int, text.split("."))), path))
    return sorted(interpreters)


# ---- programs and gdb ----


def environment(truth):
    variables = dict(os.environ, P3_SITE=os.environ.get("P3_SITE", SITE), P3_TRUTH=truth, RUST_BACKTRACE="0",
                     PYTHONDONTWRITEBYTECODE="1")
    variables.pop("PYTHONPATH", None)
    return variables


def start(python, script, truth):
    for path in (truth, truth + ".ready"):
        if os.path.exists(path):
            os.unlink(path)
    return subprocess.Popen([python, script], env=environment(truth), cwd=BUILD,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for(path, process=None, seconds=60):
    end = time.time() + seconds
    while not os.path.exists(path):
        if time.time() > end or (process and process.poll() is not None):
            raise Failure("%s did not come" % path)
        time.sleep(0.05)


def ask_truth(process, truth):
    """Let CPython write its stacks, and wait until it is done."""
    os.kill(process.pid, signal.SIGUSR1)
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


