"""The tests, and the programs that check the repository (tests/tools).

A package, so that `python -m tests.bench` and its like run from a checkout; nothing that is
installed on a terminal imports it.
"""
