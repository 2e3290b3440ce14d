"""One run: gradients, conflict probe, evaluation, checkpoints."""
