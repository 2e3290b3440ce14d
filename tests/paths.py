"""Where the repository is, and the feature files that may lie beside it."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
REAL_DATA = ROOT.parent / "shared" / "data"
