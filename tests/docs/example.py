"""The example report of the site: `python -m tests.docs.example STORE/report` keeps the page of a report."""

import gzip
import sys
from pathlib import Path

from tests.docs.site import EXAMPLE


def keep(report: Path) -> None:
    """Keep a report's page, packed, without the time at which it was."""
    EXAMPLE.write_bytes(gzip.compress((report / "index.html").read_bytes(), mtime=0))


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
