"""Which parameters mattered, by Optuna's own estimates: exploratory, since the sampler chose where to look."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from reports.tuning.studies import Parameter
from reports.tuning.subjects import Subject, score

TRIALS = 10  # below this an estimate is noise
METHODS = ("PED-ANOVA", "fANOVA")


@lru_cache(maxsize=2)  # two figures of one subject ask for the same
def importances(subject: Subject) -> dict[str, Mapping[str, float]]:
    """Importance of every parameter for the validation score by method, summing to 1; empty where there is too little.

    PED-ANOVA: for reaching the best tenth of the trials (Watanabe et al., IJCAI 2023). fANOVA: for the variance of a
    forest's prediction over the whole space (Hutter et al., ICML 2014), with a fixed seed.
    """
    trials = [t for t in subject.complete if all(p.holds(t.params.get(p.name)) for p in subject.searched)]
    varied = [p for p in subject.searched if len({t.params[p.name] for t in trials}) > 1]
    if len(trials) < TRIALS or len(varied) < 2 or len({score(t) for t in trials}) < 2:
        return {}
    import optuna

    names = [p.name for p in varied]
    distributions = {p.name: _distribution(p) for p in varied}
    with _silent(optuna):
        study = optuna.create_study(direction="maximize")
    study.add_trials(
        [
            optuna.trial.create_trial(
                value=score(t), params={name: t.params[name] for name in names}, distributions=distributions
            )
            for t in trials
        ]
    )
    evaluators = (
        optuna.importance.PedAnovaImportanceEvaluator(),
        optuna.importance.FanovaImportanceEvaluator(seed=0),
    )
    by_method: dict[str, Mapping[str, float]] = {}
    for method, evaluator in zip(METHODS, evaluators, strict=True):
        shares = optuna.importance.get_param_importances(study, evaluator=evaluator, params=names)
        if sum(shares.values()) > 0:
            by_method[method] = {name: float(shares[name]) for name in names}
    return by_method


def _distribution(parameter: Parameter) -> Any:
    from optuna import distributions

    low, high, log, step = parameter.low, parameter.high, parameter.log, parameter.step
    if parameter.kind == "categorical":
        return distributions.CategoricalDistribution(parameter.choices)
    if parameter.kind == "int":
        return distributions.IntDistribution(int(low), int(high), log=log, step=int(step or 1))
    return distributions.FloatDistribution(low, high, log=log, step=step)


@contextmanager
def _silent(optuna: Any) -> Iterator[None]:
    """Optuna announces every study that it makes."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
