"""What may be wrong with features: copies, overlap, damaged vectors; and what mends it."""
