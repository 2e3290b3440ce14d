"""Conversations in memory: read from feature files or simulated."""

from benchmark.data.conversations import Conversations
from benchmark.data.reading import load_features
from benchmark.data.simulator import simulate

__all__ = ["Conversations", "load_features", "simulate"]
