"""Devices of a terminal: what senses and what moves, one driver a file, each with a bench twin."""
