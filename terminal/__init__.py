"""The Face-Optional Terminal: lets people in by face where they agreed to it, and by card where not."""

__version__ = "0.1.0"
