"""``benchmark.lock``: a grid as one file, which says everything that its runs follow from; and how it is read."""

import platform
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, fields
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Unpack

from benchmark.base.devices import resolve_device
from benchmark.base.errors import UserError
from benchmark.base.files import read_object, write_json
from benchmark.data.datasets import dataset
from benchmark.data.feature_files.other_files import refuse_in_place
from benchmark.execution.rebuilding import read_spec
from benchmark.experiment.preregistration import Preregistration
from benchmark.experiment.provenance import provenance
from benchmark.methods.admission import admit
from benchmark.workflows.defaults import store_folder
from benchmark.workflows.grid import Choices, Grid, plan_grid

FORMAT = 1
_PREREGISTERED = {field.name for field in fields(Preregistration)}
_SHOWN = 16  # digits of a fingerprint
_LIBRARIES = ("css-bench", "torch", "numpy", "scipy", "scikit-learn")  # what numbers come from


def lock(out: Path | str, *, store: Path | str | None = None, **choices: Unpack[Choices]) -> int:
    """Write a grid's specifications, data fingerprints and versions to a file, for ``benchmark.run(locked=out)``.

    Args:
        out: gets the lock; must not be there yet.
        store: holds the studies that ``tuned`` names.
        choices: what is compared, see :class:`benchmark.Choices`.

    Returns:
        The number of runs that are locked.

    Raises:
        UserError: the file is there, its folder is not, or the choices do not go together.
    """
    return write_lock(Path(out), plan_grid(store_folder(store), with_imports=False, **choices))


def write_lock(path: Path, grid: Grid) -> int:
    """Write the lock of a grid and of what it compares; returns the number of runs."""
    from benchmark.execution.repository import git_state

    if path.exists():
        raise UserError(f"{path} is there already: remove it, or name another file with --out")
    if not path.absolute().parent.is_dir():
        raise UserError(f"no folder {path.absolute().parent} for the lock: make it, or name another file with --out")
    content = {
        "format": FORMAT,
        "versions": _versions(),
        "git": git_state(Path(__file__).parent),
        "data": {d.name: {"fingerprint": d.fingerprint, "description": d.description} for d in grid.datasets},
        "family": asdict(grid.preregistration) if grid.preregistration else None,
        "runs": [spec.record() for spec in grid.specs],
    }
    write_json(path, content)
    return len(grid.specs)


def read_lock(path: Path, data_dir: Path | None, plugins: Collection[str] = ()) -> Grid:
    """The grid of a lock, in which ``plugins`` are those that the user named.

    Raises:
        UserError: with everything that is not here as it says.
    """
    refuse_in_place(path)
    try:
        content = read_object(path)
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']}, this version reads {FORMAT}")
        versions, records, family = content["versions"], content["runs"], content["family"]
        preregistration = Preregistration(**{n: family[n] for n in _PREREGISTERED & set(family)}) if family else None
        if not records:
            raise ValueError("it names no run")
    except OSError as error:
        raise UserError(f"cannot read the lock {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is not a lock that this version wrote: {type(error).__name__} {error}") from None
    specs = [read_spec(record) for record in records]
    for method in {spec.method.canonical: spec.method for spec in specs}.values():
        admit(method, plugins)
    datasets = {spec.dataset: dataset(spec.dataset, data_dir, spec.inputs) for spec in specs}
    if odd := next((spec for spec in specs if spec.inputs != datasets[spec.dataset].inputs), None):
        raise UserError(f"{path} asks for different inputs of {odd.dataset} (run {odd.key}): lock them in two files")
    differing = list(_differences(versions, _versions()))
    for spec in specs:
        present = provenance(datasets[spec.dataset].fingerprint, resolve_device(spec.provenance.device))
        names = {"data": f"data of {spec.dataset}"}
        differing += _differences(spec.provenance.model_dump(), present.model_dump(), names)
    if differing:
        raise UserError(f"not what {path} locks: {'; '.join(dict.fromkeys(differing))}")
    return Grid(specs, list(datasets.values()), preregistration)


def _differences(
    locked: Mapping[str, str], here: Mapping[str, str], names: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    for name in {**locked, **here}:
        if locked.get(name) != here.get(name):
            a, b = (str(values.get(name))[:_SHOWN] for values in (locked, here))
            yield f"{names.get(name, name)} {a} in the lock, {b} here"


def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES}
