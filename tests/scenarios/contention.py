# Threads that wait for each other all the time, and go on: no deadlock at any instant.
# site: locks
import queue
import threading
import time

import scene
import demo


def forever(function, *args):
    while True:
        function(*args)


def under(lock):
    with lock:
        time.sleep(0.0002)


lock, recursive, jobs = threading.Lock(), threading.RLock(), queue.Queue(3)
for function, args in ((demo.contend, ()), (demo.contend, ()), (demo.touch, ()), (demo.touch, ()),
                       (demo.install_detached, ()), (under, (lock,)), (under, (lock,)),
                       (under, (recursive,)), (under, (recursive,)), (jobs.put, (1,)),
                       (jobs.get, ()), (demo.lazy, ())):
    threading.Thread(target=forever, args=(function,) + args, daemon=True).start()
scene.say_ready()
while True:
    time.sleep(0.01)
