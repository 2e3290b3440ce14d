"""From a run to its numbers: conflict, stability, outcomes."""
