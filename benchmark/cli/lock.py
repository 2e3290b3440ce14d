"""``cssbench lock`` writes what a grid is into one file; ``cssbench run --locked`` makes exactly that."""

import inspect
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.base.errors import UserError
from benchmark.cli.options import BUDGET, COMPARED

if TYPE_CHECKING:
    from benchmark.data.datasets import DataSet
    from benchmark.experiment.spec import RunSpec

FORMAT = 1
_FAMILY = ("comparisons", "seeds", "margin", "insisted")
_SHOWN = 16  # digits of a fingerprint
_LIBRARIES = ("css-bench", "torch", "numpy", "scipy", "scikit-learn")  # what numbers come from


def _chooses(parameter: inspect.Parameter) -> bool:
    """Whether the option of ``cssbench run`` decides what the runs are, and not only where they go."""
    option = next((m for m in getattr(parameter.annotation, "__metadata__", ()) if hasattr(m, "rich_help_panel")), None)
    place = parameter.name in ("data_dir", "device", "store")  # a store has the studies that --tuned names
    return place or getattr(option, "rich_help_panel", None) in (COMPARED, BUDGET)


def lock_command(run: Callable[..., None]) -> Callable[..., None]:
    """``cssbench lock``: the options of ``run`` that decide what the runs are, and ``--out``."""

    def lock(ctx: typer.Context, out: Path, **options: Any) -> None:
        """Write a grid's specifications, data fingerprints and versions to a file, for cssbench run --locked."""
        run(ctx, lock=out, **options)

    signature = inspect.signature(run)
    target = Annotated[Path, typer.Option("--out", metavar="FILE", help="Gets the lock; must not be there yet.")]
    parameters = [
        signature.parameters["ctx"],
        inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, annotation=target),
        *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in signature.parameters.values() if _chooses(p)),
    ]
    lock.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    lock.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return lock


def refuse_choices_beside(ctx: typer.Context) -> None:
    """Raise UserError where an option beside ``--locked`` chooses runs: the file does."""
    for option in ctx.command.params:
        chooses = getattr(option, "rich_help_panel", None) in (COMPARED, BUDGET) or option.name == "device"
        source = ctx.get_parameter_source(option.name or "")
        if chooses and source is not None and source.name == "COMMANDLINE":
            raise UserError(f"--locked says what the runs are: leave out {option.opts[0]}")


def write_lock(
    path: Path, specs: "Sequence[RunSpec]", datasets: "Sequence[DataSet]", family: Mapping[str, Any] | None
) -> None:
    """Write the lock of a grid and of what it compares; raises UserError where the file is there already."""
    from benchmark.base.files import write_json
    from benchmark.execution.coordinator import git_state

    if path.exists():
        raise UserError(f"{path} is there already: remove it, or name another file with --out")
    if not path.absolute().parent.is_dir():
        raise UserError(f"no folder {path.absolute().parent} for the lock: make it, or name another file with --out")
    content = {
        "format": FORMAT,
        "versions": _versions(),
        "git": git_state(Path(__file__).parent),
        "data": {d.name: {"fingerprint": d.fingerprint, "description": d.description} for d in datasets},
        "family": family,
        "runs": [spec.record() for spec in specs],
    }
    write_json(path, content)
    typer.echo(f"{len(specs)} runs locked in {path}")


def read_lock(path: Path, data_dir: Path | None) -> "tuple[list[RunSpec], list[DataSet], dict[str, Any] | None]":
    """The runs, data sets and family of a lock (None: nothing is compared).

    Raises:
        UserError: with everything that is not here as it says.
    """
    from benchmark.base.devices import resolve_device
    from benchmark.data.datasets import dataset
    from benchmark.execution.rebuilding import read_spec
    from benchmark.experiment.provenance import provenance

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']}, this version reads {FORMAT}")
        versions, records, family = content["versions"], content["runs"], content["family"]
        family = family and {name: family[name] for name in _FAMILY}
        if not records:
            raise ValueError("it names no run")
    except OSError as error:
        raise UserError(f"cannot read the lock {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is not a lock that this version wrote: {type(error).__name__} {error}") from None
    specs = [read_spec(record) for record in records]
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
    return specs, list(datasets.values()), family


def _differences(
    locked: Mapping[str, str], here: Mapping[str, str], names: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    for name in {**locked, **here}:
        if locked.get(name) != here.get(name):
            a, b = (str(values.get(name))[:_SHOWN] for values in (locked, here))
            yield f"{names.get(name, name)} {a} in the lock, {b} here"


def _versions() -> dict[str, str]:
    import platform
    from importlib.metadata import version

    return {"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES}
