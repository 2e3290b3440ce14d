"""What the commands do, as Python: run, tune, verify, lock."""
