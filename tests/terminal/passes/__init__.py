"""Tests of QR passes: what stands in one, how it is checked, how a person gets it."""
