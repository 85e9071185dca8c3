"""A busy mixed program, for interrupts at random instants: see interrupts.py."""
import json
import threading

import scene
import demo

counter = demo.Counter("busy")


class Less:
    def __init__(self, value):
        self.value = value

    def __lt__(self, other):
        return demo.callback(lambda: self.value < other.value)


def work(n):
    if n:
        return demo.recurse(1, lambda depth: work(n - 1) or 1 // (depth + 1))
    return sum(counter.each(lambda item: item) for _ in range(3))


def attempt(function, *args):
    try:
        return function(*args)
    except BaseException:  # demo.recurse ends in a panic, which PyO3 turns into this
        return None


def loop():
    while True:
        counter.each(lambda item: [x for x in range(item)])
        sorted([Less(3), Less(1), Less(2)])
        json.dumps({"a": [1, 2, {"b": demo.variadic(lambda: repr(counter), 1, k=2)}]})
        demo.callback(lambda: demo.callback(lambda: list(map(str, range(20)))))


threading.Thread(target=loop, daemon=True).start()
loop()
