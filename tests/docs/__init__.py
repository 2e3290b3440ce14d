"""Tests of what docs/ shows and says."""
