"""Fixtures that are shared with other folders."""

from tests.benchmark.fetching.fixtures import get, served, target  # noqa: F401
