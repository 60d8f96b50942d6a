"""What `make bench` measures: each stage, the whole walk-up, memory and rest, against targets."""
