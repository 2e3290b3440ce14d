"""Every registered fusion and aggregator keeps the contract, with default and with other options."""

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch

from benchmark.methods.contracts import AGGREGATOR_CHECKS, FUSION_CHECKS, check_aggregator, check_fusion
from benchmark.methods.contracts import aggregators as of_aggregators
from benchmark.methods.contracts.fusions import compiles
from benchmark.methods.entries import Entry
from benchmark.methods.registry import AGGREGATORS, FUSIONS
from css.interfaces import Aggregator, Fusion

OTHER_OPTIONS: dict[str, list[dict[str, Any]]] = {
    "spf": [{"shared": True, "gates": False, "anchor": False, "signed_sqrt": False}, {"rank": 1, "order": 1}],
    "tensor": [{"width": 2}],
    "lmf": [{"factors": 1, "width": 3}],
    "bottleneck": [{"bottlenecks": 1, "layers": 1, "heads": 3}],
    "concat-matched": [{"rank": 2, "order": 1}],
    "pgm-periodic": [{"every": 1}, {"every": 3}],
    "gradvac": [{"beta": 1.0}, {"raw_scale": True}, {"unit": True}],
    "uncertainty": [{"rate": 0.5}, {"raw_scale": True}],
    "fairgrad": [{"alpha": 0.5}, {"alpha": 10.0}, {"unit": True}],
    "stch": [{"mu": 0.05}],
    "dwa": [{"temperature": 0.5}],
    "famo": [{"rate": 0.5, "decay": 0.1}],
    "gradnorm": [{"alpha": 0.0, "rate": 0.5}],
    "cagrad": [{"c": 1.5}, {"c": 0.0}, {"unit": True}],
    "pgm-normed": [{"raw_scale": True}],
    "nash-mtl": [{"raw_scale": True}],
    **{
        name: [{"raw_scale": True}, {"unit": True}, {"raw_scale": True, "unit": True}]
        for name in ("pcgrad", "upgrad", "dualproj", "aligned-mtl")
    },
}


def cases(known: dict[str, Entry]) -> list[Any]:
    """(entry, options) of every component: as registered, then with its other options."""
    return [
        pytest.param(entry, {o: v.default for o, v in entry.options.items()} | options, id=f"{name}{options or ''}")
        for name, entry in known.items()
        for options in ({}, *OTHER_OPTIONS.get(name, []))
    ]


@pytest.mark.parametrize("check", [c for c in FUSION_CHECKS if c is not compiles], ids=lambda c: c.__name__)
@pytest.mark.parametrize(("entry", "options"), cases(FUSIONS))
def test_fusion(check: Callable[[Any], None], entry: Entry, options: dict[str, Any]) -> None:
    check(lambda features, modalities: entry.load()(features, modalities=modalities, **options))


def test_every_fusion_compiles() -> None:
    """In a process of its own, where no shapes are checked: the checker's calls are no torch code."""
    script = """
from benchmark.methods.contracts.fusions import compiles
from benchmark.methods.registry import FUSIONS
for entry in FUSIONS.values():
    options = {o: v.default for o, v in entry.options.items()}
    compiles(lambda features, modalities: entry.load()(features, modalities=modalities, **options))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert not done.returncode, done.stderr


@pytest.mark.parametrize("check", AGGREGATOR_CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize(("entry", "options"), cases(AGGREGATORS))
def test_aggregator(check: Callable[[Any], None], entry: Entry, options: dict[str, Any]) -> None:
    check(partial(entry.load(), **options))


def build(name: str) -> Callable[[], Aggregator]:
    return lambda: AGGREGATORS[name].load()()


@pytest.mark.parametrize("name", AGGREGATORS)
def test_what_an_aggregator_does_not_claim_is_not_so(name: str) -> None:
    """A flag left at False hides no property: there are gradients for which it does not hold."""
    aggregator = build(name)()
    if not aggregator.norm_invariant:
        plain = of_aggregators.drive(build(name)(), range(6))
        scaled = of_aggregators.drive(build(name)(), range(6), scale=torch.tensor([1.0, 7.0, 0.2]))
        assert (plain - scaled).abs().max() > 1e-2
    assert aggregator.scale_invariant
    if not aggregator.non_conflicting:
        jacobians = [of_aggregators.jacobian(seed, width=2 + seed % 3) for seed in range(300)]
        assert min(of_aggregators.conflict(build(name)(), J) for J in jacobians) < -100 * of_aggregators.CONFLICT


def test_pgms_update_is_no_common_descent_direction_and_that_of_its_normed_variant_is() -> None:
    J = torch.tensor([[1.0, 0.0], [-20.0, 5.0], [0.5, 2.0]], dtype=torch.float64)

    assert of_aggregators.conflict(build("pgm")(), J) < -1e-2
    assert of_aggregators.conflict(build("pgm-normed")(), J) >= -1e-12


class Broken(Fusion):
    """A fusion with a fault; each must be caught by the check that is for it."""

    def __init__(self, features: int, modalities: Any, fault: str) -> None:
        super().__init__()
        self.fault = fault
        self.out_features = features + (fault == "width")
        self.modalities = modalities
        self.weight = torch.nn.Parameter(torch.ones(features))
        self.dead = torch.nn.Parameter(torch.ones(1)) if fault == "dead" else None
        self.hidden = torch.rand(features)
        if fault == "modalities" and len(modalities) < 3:
            raise ValueError("no")

    def forward(self, features: Any) -> Any:
        if self.fault == "names":
            return next(iter(features.values())) * self.weight
        x = features[self.modalities[0]] * self.weight
        match self.fault:
            case "batch":
                return x - x.mean(0)
            case "gradient":
                return x.abs().sqrt()
            case "noise":
                return x + torch.rand(1)
            case "single":
                return x.float()
            case "state":
                return x + self.hidden
        return x


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("width", "has_its_declared_width"),
        ("batch", "acts_utterance_by_utterance"),
        ("names", "reads_features_by_name"),
        ("modalities", "takes_or_refuses_any_modalities"),
        ("gradient", "has_finite_gradients"),
        ("dead", "uses_every_parameter"),
        ("noise", "is_deterministic"),
        ("single", "computes_in_double"),
        ("state", "survives_its_state_dict"),
        ("batch", "keeps_conversations_apart"),
    ],
)
def test_a_faulty_fusion_fails_the_check_that_is_for_it(fault: str, check: str) -> None:
    named = {c.__name__: c for c in FUSION_CHECKS}
    with pytest.raises(AssertionError):
        named[check](lambda features, modalities: Broken(features, modalities, fault))
    with pytest.raises(AssertionError):
        check_fusion(Broken, fault=fault)
    named[check](lambda features, modalities: Broken(features, modalities, "none"))


class BrokenAggregator(Aggregator):
    """An aggregator with a fault; each must be caught by the check that is for it."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault = fault
        self.scale_invariant = self.norm_invariant = True
        self.non_conflicting = fault == "conflict"
        self.steps = 0

    def forward(self, gramian: Any, losses: Any) -> Any:
        self.steps += 1
        K = len(gramian)
        weights = gramian.new_full((K,), 1 / K)
        match self.fault:
            case "gradient":
                return gramian.diagonal() / gramian.trace()
            case "sum":
                return weights * K
            case "noise":
                return torch.rand(K).to(gramian).softmax(0)
            case "alike":
                return weights * 0 + torch.tensor([0.5, 0.5, 0.0][:K]).to(gramian)
            case "scale":
                return gramian.detach().diagonal().tanh() / gramian.detach().diagonal().tanh().sum()
            case "norm":
                return gramian.detach().diagonal() / gramian.detach().trace()
            case "raise":
                torch.linalg.eigh(gramian.detach())
            case "state":
                return weights * 0 + torch.tensor([1.0, self.steps, 0.0][:K]).to(gramian) / (1 + self.steps)
        return weights


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("gradient", "gives_a_weight_an_objective"),
        ("sum", "sums_to_one"),
        ("noise", "is_deterministic"),
        ("alike", "treats_objectives_alike"),
        ("scale", "scales_as_declared"),
        ("norm", "scales_as_declared"),
        ("conflict", "has_no_conflict_if_it_says_so"),
        ("raise", "meets_every_kind_of_gradients"),
        ("norm", "meets_every_kind_of_gradients"),
        ("state", "survives_its_state_dict"),
    ],
)
def test_a_faulty_aggregator_fails_the_check_that_is_for_it(fault: str, check: str) -> None:
    named = {c.__name__: c for c in AGGREGATOR_CHECKS}
    with pytest.raises((AssertionError, RuntimeError)):
        named[check](lambda: BrokenAggregator(fault))
    with pytest.raises((AssertionError, RuntimeError)):
        check_aggregator(BrokenAggregator, fault=fault)
    named[check](lambda: BrokenAggregator("none"))
