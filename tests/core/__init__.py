"""Tests of what decides: facts by name, every state with every event, and random walks."""
