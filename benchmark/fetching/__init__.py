"""Feature files from where they are published into the user's cache. Nothing here produces a number."""

from benchmark.fetching.drive import DriveFile
from benchmark.fetching.fetch import fetch, fetched
from benchmark.fetching.published import TERMS
from benchmark.fetching.sources import source_of

__all__ = ["TERMS", "DriveFile", "fetch", "fetched", "source_of"]
