"""The floors of the house, from the ground up: a file imports files of its own floor and of floors before it.

A file that is not listed belongs to the floor of the folder that it is in, and a folder that is not listed to the floor
of its parent. CONTRIBUTING's map names the same floors in the same order.
"""

PACKAGES = ("css", "baselines", "benchmark", "reports")
ALONE = ("css", "reports")
"""The packages that import nothing of the project."""

FLOORS = (
    "css",
    "baselines",
    "benchmark/base",
    "benchmark/data",
    "benchmark/store",
    "benchmark/tracking",
    "benchmark/methods",
    "reports/errors.py",
    "reports/text.py",
    "reports/scoreboard.py",
    "reports/swap.py",
    "reports/templates",
    "reports/statistics",
    "reports/reading",
    "reports/measures",
    "reports/columns",
    "reports/evidence",
    "reports/inference",
    "reports/tables",
    "reports/figures",
    "reports/tuning",
    "reports/analysis.py",
    "reports/frames.py",
    "reports/chapters.py",
    "reports/pages.py",
    "reports/build.py",
    "reports/__init__.py",
    "benchmark/audit",
    "benchmark/fetching",
    "benchmark/building",
    "benchmark/experiment",
    "benchmark/training",
    "benchmark/evaluation",
    "benchmark/execution",
    "benchmark/tuning",
    "benchmark/workflows",
    "benchmark/__init__.py",
    "benchmark/cli",
)

WITHOUT_COUNTERPART = ("architecture", "calibration", "browser", "controls", "docs", "fuzz", "perf")
"""Folders of ``tests`` that hold tests of the whole, and mirror no folder of the packages."""
