# SPDX-License-Identifier: MIT OR Apache-2.0
"""Sourced in gdb: stops the program at random instants, and each time holds our
own reader's frames of all threads to gdb's: level, pc, kind, name, file, line.

P3_STOPS: how often. Prints one PASS or FAIL line.
"""
import json
import os
import random
import re
import subprocess
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gdbtest import same_symbol


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


def gdb_frames(number):
    for thread in gdb.selected_inferior().threads():
        if thread.num == number:
            thread.switch()
    frames, frame = [], gdb.newest_frame()
    while frame:
        sal = frame.find_sal()
        name = "<signal handler called>" if frame.type() == gdb.SIGTRAMP_FRAME else frame.name()
        frames.append((frame.pc(), bare_name(name or "??"), frame.type() == gdb.INLINE_FRAME,
                       sal.symtab.filename if sal.symtab else None,
                       sal.line if sal.symtab and sal.line else None))
        frame = frame.older()
    return frames


def our_frames(thread):
    return [(int(f["pc"], 16), bare_name(f["function"] or "??"), f["inlined"], f["file"], f["line"])
            for f in thread["frames"] if f["language"] != "python"]


def stop_somewhere(pid):
    # Not a timer of this process: gdb waits in `continue`.
    subprocess.Popen(["sh", "-c", "sleep 0.%03d; kill -INT %d" % (random.randrange(1, 30), pid)])
    gdb.execute("continue", to_string=True)


def main():
    random.seed(1)
    stops, compared, own, unplaced = int(os.environ.get("P3_STOPS", "60")), 0, 0, 0
    label = os.environ.get("P3_LABEL", "interrupts")
    pid = gdb.selected_inferior().pid
    gdb.execute("handle SIGINT stop print nopass", to_string=True)
    for i in range(stops):
        stop_somewhere(pid)
        stack = json.loads(gdb.execute("pyo3-bt -all -raw -json", to_string=True))
        for thread in stack["threads"]:
            if not thread["number"]:
                continue
            ours, theirs = our_frames(thread), gdb_frames(thread["number"])
            unplaced += sum(f["note"] == "its native frame was not found"
                            for f in thread["frames"])
            modules = [f["module"] for f in thread["frames"] if f["language"] != "python"]
            theirs = [our if our[0] == their[0] and our[2:] == their[2:] and
                      same_symbol(our[1], their[1], module) else their
                      for our, their, module in zip(ours, theirs, modules)] + theirs[len(ours):]
            if ours != theirs:
                at = [n for n, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]]
                at = at[0] if at else min(len(ours), len(theirs))
                print("FAIL %s: stop %d, thread %d, frame %d of %d (gdb: %d)\n#   ours: %s\n"
                      "#   gdb:  %s" % (label, i, thread["number"], at, len(ours), len(theirs),
                                       ours[at:at + 1], theirs[at:at + 1]))
                return
            compared += len(ours)
    unwinder = re.search(r"Unwinder +(\d+) threads by our own, (\d+) by gdb",
                         gdb.execute("info pyo3", to_string=True))
    own, host = int(unwinder.group(1)), int(unwinder.group(2))
    # .dwo files are gdb's to read.
    verdict = "FAIL" if unplaced or (own < host and "split" not in label) else "PASS"
    print("%s %s: %d frames at %d stops equal gdb's; %d threads by our own unwinder, %d by gdb; "
          "%d Python frames not placed" % (verdict, label, compared, stops, own, host, unplaced))


main()
