"""The tables of a run folder."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from benchmark.base.files import write_atomically


def write_table(path: Path, columns: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write columns as a parquet file, whole or not at all."""
    buffer = io.BytesIO()
    pq.write_table(pa.table({name: pa.array(column) for name, column in columns.items()}), buffer)
    write_atomically(path, buffer.getvalue())
