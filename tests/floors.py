"""The floors of the house, from the ground up: a folder imports only folders above it in this list.

A folder that is not listed by itself belongs to the floor of its parent.
"""

FLOORS = (
    "css",
    "baselines",
    "benchmark/base",
    "benchmark/data",
    "benchmark/store",
    "benchmark/tracking",
    "benchmark/methods",
    "benchmark/audit",
    "benchmark/fetching",
    "benchmark/experiment",
    "benchmark/training",
    "benchmark/evaluation",
    "benchmark/execution",
    "benchmark/tuning",
    "benchmark/workflows",
    "benchmark/cli",
)
REPORTS = (
    "reports/templates",
    "reports/statistics",
    "reports/reading",
    "reports/measures",
    "reports/evidence",
    "reports/inference",
    "reports/tables",
    "reports/figures",
    "reports/tuning",
)
