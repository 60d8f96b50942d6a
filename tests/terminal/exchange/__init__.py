"""Tests of import and export: what is taken in, what never is, and nothing else gets through."""
