"""Tests of the bridge: what is durable, what is secret, and what ties the islands together."""
