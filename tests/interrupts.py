# SPDX-License-Identifier: MIT OR Apache-2.0
"""Sourced in gdb: stops the program at random instants, and each time holds our
own reader's frames of all threads to gdb's (level, pc, kind, name, file, line), and the
Python frames to those that faulthandler writes at that very instruction (file, line, name).
pyo3-deadlock must find none.

P3_STOPS: how often; P3_NAME: of the test; P3_TRUTH: faulthandler's file, or none. Prints one PASS or
FAIL line.
"""
import json
import os
import random
import re
import subprocess
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gdbtest import bare_name, parse_truth, python_frames, same_symbol


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


def our_name(frame):
    """As gdb has it: a stripped module's functions, which have Python's names here, have none.
    (Line tables alone, `debug = "line-tables-only"`, give a bare name that may equal Python's.)"""
    stripped = not frame["function"] or (frame["function"] == frame["python_name"] and not frame["file"])
    return "??" if stripped else bare_name(frame["function"])


def our_frames(thread):
    return [(int(f["pc"], 16), our_name(f), f["inlined"], f["file"], f["line"])
            for f in thread["frames"] if f["language"] != "python"]


def run_for(milliseconds, command):
    """Let the program run by this command, then stop it."""
    pid = gdb.selected_inferior().pid
    if not pid:
        raise gdb.GdbError("FAIL %s: the program has ended" % os.environ.get("P3_NAME"))
    # Not a timer of this process: gdb waits in the command.
    subprocess.Popen(["sh", "-c", "sleep 0.%03d; kill -INT %d" % (milliseconds, pid)])
    return gdb.execute(command, to_string=True)


def ask_truth(path):
    """Let the selected thread run faulthandler's handler, and no other thread anything. None:
    faulthandler itself has crashed, at an instant for which it is not made."""
    size = os.path.getsize(path)
    gdb.execute("set scheduler-locking on", to_string=True)
    before, said = -1, run_for(40, "signal SIGUSR1")
    while before in (size, -1) or os.path.getsize(path) != before:  # it is still writing
        if "SIGSEGV" in said or not gdb.selected_inferior().pid:
            return None
        before, said = os.path.getsize(path), run_for(20, "continue")
    if "SIGSEGV" in said or not gdb.selected_inferior().pid:
        return None
    gdb.execute("set scheduler-locking off", to_string=True)
    return parse_truth(path, size)


def same(ours, theirs):
    """Of one thread. Ours leave out, as Python's own tracebacks do, a frame whose arguments are
    still being put in place; faulthandler has it. That is the innermost. From 3.13 on
    faulthandler may give up at one that it does not know, such as that of an __init__."""
    for truth in theirs, theirs[1:]:
        if ours == truth or (truth and truth[-1] is None and ours[:len(truth) - 1] == truth[:-1]):
            return True
    return False


def equal(ours, theirs):
    """Each thread of ours is one of theirs. What is given up early may be the same as several
    threads: those that are wholly the same go first."""
    left = list(theirs)
    for frames in sorted(ours, key=lambda frames: frames not in theirs):
        found = [truth for truth in left if same(frames, truth)]
        if not found:
            return False
        left.remove(max(found, key=lambda truth: (truth == frames, len(truth))))
    return not left


def main():
    random.seed(int(os.environ.get("P3_SEED", "1")))
    stops, compared, own, unplaced, python, held = int(os.environ.get("P3_STOPS", "60")), 0, 0, 0, 0, 0
    label, truth = os.environ.get("P3_NAME", "interrupts"), os.environ.get("P3_TRUTH")
    host = 0
    gdb.execute("handle SIGINT stop print nopass", to_string=True)
    gdb.execute("handle SIGUSR1 nostop noprint pass", to_string=True)
    crashed = False
    for i in range(stops):
        run_for(random.randrange(1, 30), "continue")
        said = gdb.execute("pyo3-deadlock", to_string=True)
        if not said.startswith("no deadlock was found"):
            print("FAIL %s: stop %d: a deadlock in a program that runs\n#   %s"
                  % (label, i, said.replace("\n", "\n#   ")))
            return
        held += len(re.findall(", which .* holds", said))
        if os.environ.get("P3_NO_FRAMES"):
            continue
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
        if not truth:
            continue
        theirs, ours = ask_truth(truth), python_frames(stack)
        if theirs is None:
            crashed, stops = True, i
            break
        if not equal(ours, theirs):
            print("FAIL %s: stop %d, Python frames\n#   ours:  %s\n#   truth: %s"
                  % (label, i, ours, theirs))
            return
        python += sum(map(len, ours))
    # .dwo files are gdb's to read, and so is code of a JIT, which 3.15 tells gdb of. In that of
    # 3.14 no native frame is to be found, by nobody (facts/cpython.md 3.7).
    bad = (unplaced and "jit" not in label) or \
        (own < host and "split" not in label and "jit" not in label) or \
        (os.environ.get("P3_NO_FRAMES") and not held)
    verdict = "FAIL" if bad else "PASS"
    print("%s %s: %d frames at %d stops equal gdb's, %d Python frames faulthandler's; %d threads "
          "by our own unwinder, %d by gdb; %d Python frames not placed; %d waits for a lock or "
          "the GIL that another has%s"
          % (verdict, label, compared, stops, python, own, host, unplaced, held,
             "; then faulthandler crashed" if crashed else ""))


main()
