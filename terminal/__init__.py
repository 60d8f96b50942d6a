"""The Face-Optional Terminal: in by face for whoever agreed to it, by card for whoever did not."""

__version__ = "0.1.0"
