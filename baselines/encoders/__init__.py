"""Encoders that serve as controls."""
