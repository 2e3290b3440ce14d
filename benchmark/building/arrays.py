"""The arrays of a corpus: a file a modality (``.npy``, ``.npz``, ``.parquet``), read as data, never as a program."""

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.base.errors import DataError
from benchmark.building.mistakes import MistakesError, quoted
from benchmark.data.feature_files.reading import MAX_BYTES
from benchmark.data.views import MODALITIES

KINDS = (".npy", ".npz", ".parquet")
_SHOWN = 3  # places of NaN or Inf that are named
_NOT_NUMPY = (ValueError, EOFError, AttributeError, TypeError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error)
_AT_ONCE = 2**16  # rows that are converted at once


def find_arrays(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """The file of every modality that a folder has, and the names of arrays in it that are no modality.

    Raises:
        DataError: no folder, no modality, or two files of one.
    """
    if not folder.is_dir():
        raise DataError(f"no folder {folder}; name the one with {_expected()} and utterances.csv with --from")
    files = sorted(file for file in folder.iterdir() if file.suffix in KINDS and file.is_file())
    arrays: dict[str, Path] = {}
    for modality in MODALITIES:
        named = [file for file in files if file.stem == modality]
        if len(named) > 1:
            raise DataError(f"{folder} has {' and '.join(f.name for f in named)}; leave one file of {modality}")
        if named:
            arrays[modality] = named[0]
    if not arrays:
        shown = ", ".join(sorted(entry.name for entry in folder.iterdir())[:10]) or "nothing"
        raise DataError(f"no {_expected()} in {folder}, which holds {shown}; name an array for each modality so")
    return arrays, [file.name for file in files if file not in arrays.values()]


def read_array(path: Path, lines: Sequence[int]) -> npt.NDArray[np.float32]:
    """A modality's vectors, float32 [N, d].

    Args:
        path: its file.
        lines: of the N utterances in the table of utterances, for messages.

    Raises:
        DataError: it is no such array, has not N rows, or NaN or Inf in it (MistakesError).
    """
    try:
        array = {".npy": _npy, ".npz": _npz, ".parquet": _parquet}[path.suffix](path)
    except OSError as error:
        cause = " ".join(str(error.strerror or error).split())[:120]
        raise DataError(f"{path}: cannot be read ({cause}); check the file") from None
    except MemoryError:
        raise DataError(f"{path}: needs more memory than there is; free some or use a larger machine") from None
    if array.dtype.kind not in "fiu":
        raise DataError(f"{path}: values of type {array.dtype}, not numbers; save it as float32")
    if array.ndim != 2 or not array.shape[1]:
        raise DataError(f"{path}: an array of shape {array.shape}; give one of shape (utterances, features)")
    if len(array) != len(lines):
        raise DataError(
            f"{path}: {len(array)} rows where utterances.csv has {len(lines)}; give a row for each, in the same order"
        )
    return _converted(array, path, lines)


def _expected() -> str:
    return f"{', '.join(MODALITIES[:-1])} or {MODALITIES[-1]} ({', '.join(KINDS)})"


def _npy(path: Path) -> npt.NDArray[Any]:
    try:
        return np.lib.format.open_memmap(path, mode="r")  # which reads no pickle
    except _NOT_NUMPY as error:
        raise _refused(path, error) from None


def _npz(path: Path) -> npt.NDArray[Any]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            names = list(held.files)
            name = path.stem if path.stem in names else names[0] if len(names) == 1 else None
            if name is None:
                raise DataError(
                    f"{path}: arrays {', '.join(names[:10]) or 'none'}; leave one, or name the one to use {path.stem}"
                )
            size = max(item.file_size for item in held.zip.infolist())
            if size > MAX_BYTES:
                raise DataError(f"{path}: {size} bytes in an array, where {MAX_BYTES} at most are read; save float32")
            array: npt.NDArray[Any] = held[name]
    except _NOT_NUMPY as error:
        raise _refused(path, error) from None
    return array


def _refused(path: Path, error: Exception) -> DataError:
    """Why numpy does not read it: an array of objects is a pickle, which is a program."""
    if any(word in str(error) for word in ("allow_pickle", "bject arrays", "Python objects")):
        return DataError(f"{path}: an array of objects, or a pickle, which could run code; save numbers as float32")
    cause = " ".join(str(error).split())[:120]
    return DataError(f"{path}: not an array of numpy's ({cause}); save it with numpy.save or numpy.savez")


def _parquet(path: Path) -> npt.NDArray[Any]:
    """One column of lists of one length, or a column a feature, in the file's order."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        cause = " ".join(str(error).split())[:120]
        raise DataError(f"{path}: not a parquet file that can be read ({cause}); write it again") from None
    if table.num_columns == 1 and _is_list(table.schema.types[0]):
        return _lists(path, table.column(0))
    table = table.select([name for name in table.column_names if not name.startswith("__index_level_")])  # of pandas
    for field in table.schema:
        if not (pa.types.is_floating(field.type) or pa.types.is_integer(field.type)):
            raise DataError(
                f"{path}: column {quoted(field.name)} is of type {field.type}; leave a column of numbers a feature"
            )
    columns = [column.cast(pa.float64()).to_numpy() for column in table.columns]  # null is NaN
    return np.stack(columns, axis=1) if columns else np.empty((table.num_rows, 0))


def _is_list(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _lists(path: Path, column: Any) -> npt.NDArray[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not (pa.types.is_floating(column.type.value_type) or pa.types.is_integer(column.type.value_type)):
        raise DataError(f"{path}: lists of {column.type.value_type}, not of numbers; write lists of numbers")
    lengths = pc.fill_null(pc.list_value_length(column), -1).to_numpy()
    width = int(lengths[0]) if len(lengths) else 0
    if len(other := np.flatnonzero(lengths != width)) or width < 0:
        i = int(other[0]) if len(other) else 0
        raise DataError(f"{path}, row {i} from 0: {max(0, lengths[i])} values where row 0 has {max(0, width)}")
    values = pc.list_flatten(column).cast(pa.float64()).to_numpy()  # null is NaN
    return np.asarray(values).reshape(len(lengths), width)


def _converted(array: npt.NDArray[Any], path: Path, lines: Sequence[int]) -> npt.NDArray[np.float32]:
    converted = np.empty(array.shape, np.float32)
    bad: list[tuple[int, int]] = []
    count = 0
    for begin in range(0, len(array), _AT_ONCE):
        part = slice(begin, begin + _AT_ONCE)
        with np.errstate(over="ignore", invalid="ignore"):  # what becomes infinite is found next
            converted[part] = array[part]
        wrong = np.argwhere(~np.isfinite(converted[part]))
        count += len(wrong)
        bad += [(begin + int(i), int(j)) for i, j in wrong[: _SHOWN - len(bad)]]
    if bad:
        more = f" (and {count - len(bad)} more in {path.name})" if count > len(bad) else ""
        mistakes = [
            f"{path.name}[{i}, {j}] is {array[i, j]} ({_why(float(array[i, j]))}utterances.csv, line {lines[i]}); give "
            "a finite number"
            for i, j in bad
        ]
        mistakes[-1] += more
        raise MistakesError(mistakes)
    return converted


def _why(value: float) -> str:
    return "beyond float32; " if np.isfinite(value) else ""
