"""Rules from a Gramian and losses to weights, one published method a file."""
