"""The figures of a report, drawn with Agg whatever MPLBACKEND says."""

import os
import sys
from contextlib import suppress


def _import_matplotlib() -> None:
    """Import matplotlib where MPLBACKEND names a backend that is not installed, which would stop it.

    IPython sets the variable for every command that a notebook runs. One that matplotlib knows keeps its meaning for
    the rest of the process: figures here have a canvas of their own.
    """
    if "matplotlib" in sys.modules:
        return
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    if backend:
        with suppress(ValueError):
            matplotlib.rcParams["backend"] = backend


_import_matplotlib()
