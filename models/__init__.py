"""Pixels into numbers: the model files, where they come from, and what is computed with them.

This island knows nothing of doors, people or storage. It must never keep an image, never name a
person and never decide; it imports nothing of ours outside itself. `manifest.toml` says which files
exist and what their bytes are; `build.py` makes them; `runtime.py` alone opens them.
"""
