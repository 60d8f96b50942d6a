"""QR passes: what stands in one, how it is checked, how a person gets it (docs/passes.md)."""
