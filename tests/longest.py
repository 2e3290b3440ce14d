"""The files of tests that take longest. They begin first, so that no process is alone with one of them at the end."""

LONGEST = (
    "docs/test_notebooks.py",
    "benchmark/execution/ray/test_executor.py",
    "benchmark/cli/test_run.py",
    "architecture/test_run_format.py",
    "benchmark/execution/test_kills.py",
    "benchmark/workflows/test_refit.py",
    "benchmark/workflows/test_run.py",
    "benchmark/workflows/test_sessions.py",
    "benchmark/methods/test_plugins.py",
    "benchmark/cli/test_foreign_plugins.py",
    "benchmark/execution/test_local.py",
    "benchmark/cli/test_tracking.py",
    "benchmark/cli/test_foreign_stores.py",
    "benchmark/workflows/test_until_decided.py",
    "benchmark/training/test_checkpoint.py",
    "benchmark/cli/test_tune.py",
    "benchmark/workflows/test_notebook.py",
    "benchmark/methods/contracts/test_contracts.py",
    "benchmark/tracking/test_database.py",
    "benchmark/tuning/test_study.py",
)
