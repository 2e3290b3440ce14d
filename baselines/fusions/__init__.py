"""Fusions of the modalities, one published method a file."""
