"""`make fuzz`: millions of payloads that no terminal issued, and not one of them may open.

What changes with this folder: the figures in docs/passes.md.
"""
