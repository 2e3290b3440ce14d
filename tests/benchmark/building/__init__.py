"""Tests of corpora that are built from arrays."""
