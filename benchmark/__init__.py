"""The harness: from a grid of specifications to a store of finished runs."""
