"""Conversations in memory: read from feature files or simulated."""

from benchmark.data.conversations import Conversations
from benchmark.data.feature_files.reading import load_features
from benchmark.data.simulation.simulator import simulate

__all__ = ["Conversations", "load_features", "simulate"]
