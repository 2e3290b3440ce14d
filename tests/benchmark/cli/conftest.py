"""Fixtures that are shared with other folders."""

from tests.benchmark.evaluation.predictions.fixtures import meld, predict  # noqa: F401
from tests.benchmark.fetching.fixtures import get, served, target  # noqa: F401
