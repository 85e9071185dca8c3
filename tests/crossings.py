"""Three times Rust -> Python -> Rust, and a panic at the end of it."""
import demo


def cb(depth):
    return inner(depth)


def inner(depth):
    return demo.recurse(depth, cb)


def main():
    return inner(2)


main()
