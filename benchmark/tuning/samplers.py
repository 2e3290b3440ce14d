"""What a sampler proposes for a trial: a function of the study's name, the trial's number and the trials that are over.

Optuna's samplers read a study by Optuna's own numbers of its attempts, which an interruption changes, and weigh what is
recent more. Each proposal is therefore asked of a study in memory, which has nothing but the trials that are over, by
their own numbers, without the attempts that were abandoned: a study that was interrupted goes on as one that was not.
"""

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from benchmark.tuning.plan import GOALS, Plan
from benchmark.tuning.space import Settings

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

STARTUP = 5
"""Trials with random settings, the default among them, before a sampler has something to learn from."""
_LEARNING = ("tpe", "gp", "nsga2")
_POPULATION = 10  # of NSGA-II


def propose(plan: Plan, number: int, known: Settings, over: Iterable["FrozenTrial"]) -> "FrozenTrial":
    """The trial's settings, those of ``known`` as given, and what its sampler notes of it in ``system_attrs``.

    Args:
        over: the trials that are complete or pruned, in the order of their numbers.
    """
    import optuna

    study = optuna.create_study(
        directions=[GOALS[name] for name in plan.goals],
        sampler=sampler(plan, number),
        pruner=optuna.pruners.NopPruner(),
    )
    if plan.sampler in _LEARNING:
        study.add_trials(over)
    study.enqueue_trial(dict(known))
    study.ask({name: parameter.distribution for name, parameter in plan.space.items()})
    return study.get_trials(deepcopy=False)[-1]


def sampler(plan: Plan, number: int) -> "BaseSampler":
    """The sampler of a trial, whose draws depend on the study's name and the trial's number."""
    from optuna import samplers

    seed = int.from_bytes(hashlib.sha256(f"{plan.name}/{number}".encode()).digest()[:4], "big")
    match plan.sampler:
        case "tpe":
            return samplers.TPESampler(seed=seed, n_startup_trials=STARTUP)
        case "gp":
            return samplers.GPSampler(seed=seed, n_startup_trials=STARTUP)
        case "nsga2":
            return samplers.NSGAIISampler(seed=seed, population_size=_POPULATION)
    return samplers.RandomSampler(seed=seed)  # never asked: every setting is enqueued
