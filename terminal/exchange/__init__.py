"""Residents, groups, cards and schedules, in from files and out into files: bytes in, bytes out.

Opens no file, no socket and no store. `importing` reads, `exporting` writes, `rows` is what stands
between this package and the store, `report` is what an operator is told before anything is kept.
"""
