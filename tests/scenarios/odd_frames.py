# Frames of every kind on one stack: recursion, callbacks from C, generators,
# coroutines, a class body, exec, names that are not ASCII (facts/cpython.md 0).
# ways: attach core gdbserver vgdb
# gdb-command: pyo3-bt
# gdb-check: #[\d.]+ +py    leaf \(\)
# gdb-check: #[\d.]+ +py    <module> +at <string>:\d+
# gdb-check: #\d+(\.\d+)? +py    <module>
import asyncio

import scene
import demo


def leaf():
    scene.ready()


def by_exec():
    exec("def inner():\n    demo.callback(leaf)\n\ninner()", {"demo": demo, "leaf": leaf})


def recursion(n):
    if n:
        return recursion(n - 1)
    return by_exec()


class Less:
    def __lt__(self, other):
        recursion(3)
        return True


def generator_inner():
    yield from map(lambda x: sorted([Less(), Less()]), [1])


def generator_outer():
    yield from generator_inner()


async def coroutine_inner():
    for item in generator_outer():
        pass


async def coroutine_outer():
    await coroutine_inner()


def naïve():
    class Body:
        [asyncio.run(coroutine_outer()) for _ in range(1)]


naïve()
