"""What decides: pure tables from (state, event, policy) to (state, effects). See `machine`."""
