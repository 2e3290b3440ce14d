"""Everything that sees test labels: scoring, checkpoints, predictions of other code bases."""
