"""Fixtures that are shared with other folders."""

from tests.benchmark.data.fixtures import iemocap_items, meld_items  # noqa: F401
