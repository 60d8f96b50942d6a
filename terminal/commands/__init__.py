"""The commands of `terminalctl`, a module for each few nouns; `terminal.cli` puts them together.

Each module has `add`, which adds its nouns and verbs to the grammar, and a function for each
command: it asks the door and shows the answer. Nothing here decides, opens a database (but the
log, read-only, of a terminal at rest) or keeps anything.

What changes with this package: docs/maintenance.md, docs/doors.md.
"""
