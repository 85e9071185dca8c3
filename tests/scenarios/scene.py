"""What every scenario imports: the ground truth, and the word that it is ready.

SIGUSR1 makes CPython itself write the Python stacks of all threads, from a
signal handler, at the very instruction where the process was stopped.
"""
import faulthandler
import os
import signal
import sys
import time

sys.path.insert(0, os.environ["P3_SITE"])
truth = open(os.environ["P3_TRUTH"], "w")
faulthandler.register(signal.SIGUSR1, file=truth, all_threads=True, chain=False)
faulthandler.enable(file=truth, all_threads=True)


arrived = []


def hold():
    """For threads: stay here. The main thread's ready() waits for them."""
    arrived.append(1)
    while True:
        time.sleep(1000)


def say_ready():
    """Here it is to be stopped: in this process, which need not be the one that was started."""
    path = os.environ["P3_TRUTH"] + ".ready"
    with open(path + ".new", "w") as file:
        file.write("%d" % os.getpid())
    os.rename(path + ".new", path)


def ready(threads=0):
    """For the main thread, last: this many have arrived, the others had time to."""
    while len(arrived) < threads:
        time.sleep(0.01)
    time.sleep(float(os.environ.get("P3_SETTLE", "0.3")))
    say_ready()
    while True:
        time.sleep(1000)
