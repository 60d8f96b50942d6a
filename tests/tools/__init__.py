"""Programs behind `make check`, `make requirements` and `make lock`; each has tests of its own.

They read the repository and say what is wrong with it in one line per finding, `path:line: what`,
and end with 0 (nothing found) or 1. They never change a file, the lock files of `lock` apart.
"""
