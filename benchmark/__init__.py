"""The harness, and its Python front door: what the commands do, without a terminal.

    import benchmark, reports

    outcome = benchmark.run(datasets=["meld-sim"], methods=["css", "adam"], seeds=3, preset="smoke")
    reports.load(outcome.store).accuracy

Importing this package is cheap: numpy, torch and MLflow are loaded when something asks for them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmark.base.errors import UserError
    from benchmark.execution.listener import Listener
    from benchmark.workflows.grid import Choices
    from benchmark.workflows.lock import lock
    from benchmark.workflows.outcome import Outcome
    from benchmark.workflows.robustness import Robustness, robustness
    from benchmark.workflows.run import run
    from benchmark.workflows.tune import Studies, tune
    from benchmark.workflows.verify import Status, Verified, verify

__all__ = [
    "Choices",
    "Listener",
    "Outcome",
    "Robustness",
    "Status",
    "Studies",
    "UserError",
    "Verified",
    "lock",
    "robustness",
    "run",
    "tune",
    "verify",
]

_MODULES = {
    "UserError": "base.errors",
    "Listener": "execution.listener",
    "Choices": "workflows.grid",
    "lock": "workflows.lock",
    "Outcome": "workflows.outcome",
    "Robustness": "workflows.robustness",
    "robustness": "workflows.robustness",
    "run": "workflows.run",
    "Studies": "workflows.tune",
    "tune": "workflows.tune",
    "Status": "workflows.verify",
    "Verified": "workflows.verify",
    "verify": "workflows.verify",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
