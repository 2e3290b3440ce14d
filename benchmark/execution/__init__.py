"""A grid of runs: the store that holds them, the workers that make them, the coordinator that shows and logs them."""
