"""What every aggregator would have done along the trajectory of equal weights."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import torch

from benchmark.methods.parsing import parse_method
from benchmark.methods.registry import AGGREGATORS
from benchmark.training import directions as module
from benchmark.training.directions import COLUMNS, directions, is_common
from benchmark.training.probe import COSINES, NORMS
from benchmark.training.trainer import Trainer, train
from css.interfaces import OBJECTIVES

Probes = dict[str, Any]


def probes_of(J: torch.Tensor) -> Probes:
    """The probes of gradients J [T, 3, n], as a run records them."""
    g = J.numpy()
    norm = np.linalg.norm(g, axis=-1)
    columns = dict(zip(NORMS, norm.T, strict=True)) | {f"loss_{o}": np.ones(len(g)) for o in OBJECTIVES}
    with np.errstate(invalid="ignore"):
        unit = g / norm[..., None]
    pairs = ((0, 1), (0, 2), (1, 2))
    return columns | {name: (unit[:, i] * unit[:, j]).sum(-1) for name, (i, j) in zip(COSINES, pairs, strict=True)}


@pytest.fixture
def gradients() -> torch.Tensor:
    generator = torch.Generator().manual_seed(4)
    J = torch.randn(12, 3, 6, generator=generator, dtype=torch.float64)
    return J * torch.exp(torch.randn(12, 3, 1, generator=generator, dtype=torch.float64))


def of(found: dict[str, Any], aggregator: str) -> dict[str, Any]:
    return {name: column[found["aggregator"] == aggregator] for name, column in found.items()}


def test_directions_are_those_of_the_gradients_themselves(gradients: torch.Tensor) -> None:
    found = directions(probes_of(gradients), seed=0)

    installed = [n for n, entry in AGGREGATORS.items() if all(find_spec(p) for p in entry.packages)]
    assert list(dict.fromkeys(found["aggregator"])) == installed
    for name in installed:
        rows = of(found, name)
        assert rows["probe"].tolist() == list(range(12))
        for t, J in enumerate(gradients):
            weights = torch.tensor([rows[f"weight_{o}"][t] for o in OBJECTIVES], dtype=torch.float64)
            assert weights.sum() == pytest.approx(1)
            d = weights @ J
            cos = [float(torch.cosine_similarity(d, g, dim=0)) for g in (*J, J.mean(0))]
            assert [rows[c][t] for c in COLUMNS[3:]] == pytest.approx(cos, abs=1e-8), name


@pytest.mark.parametrize("name", ["equal", "pgm", "pgm-normed", "mgda"])
def test_weights_without_memory_are_the_aggregators_own(name: str, gradients: torch.Tensor) -> None:
    rows = of(directions(probes_of(gradients), seed=0), name)
    for t, J in enumerate(gradients):
        own = AGGREGATORS[name].load()()(J @ J.T, torch.ones(3, dtype=torch.float64))
        assert [rows[f"weight_{o}"][t] for o in OBJECTIVES] == pytest.approx(own.tolist(), abs=1e-8)
    mean_is_d = name == "equal"
    assert (np.abs(rows["mean_cos"] - 1).max() < 1e-12) == mean_is_d


def test_what_is_remembered_goes_from_probe_to_probe(gradients: torch.Tensor) -> None:
    rows = of(directions(probes_of(gradients), seed=0), "pgm-periodic")
    held = np.array([rows[f"weight_{o}"] for o in OBJECTIVES]).T
    assert (held[:10] == held[0]).all()
    assert not np.allclose(held[10], held[0])


def test_what_is_drawn_depends_on_the_seed_and_on_nothing_else(gradients: torch.Tensor) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    probes = probes_of(gradients)
    a, again, b = directions(probes, 0), directions(probes, 0), directions(probes, 1)
    assert torch.equal(torch.get_rng_state(), before)
    for name in COLUMNS:
        np.testing.assert_array_equal(a[name], again[name])
    assert (of(a, "pcgrad")["weight_fused"] != of(b, "pcgrad")["weight_fused"]).any()
    assert (of(a, "upgrad")["weight_fused"] == of(b, "upgrad")["weight_fused"]).all()


def test_an_objective_without_gradient_has_no_angle(gradients: torch.Tensor) -> None:
    gradients[:, 2] = 0
    found = directions(probes_of(gradients), seed=0)
    assert np.isnan(found["update_cos_distillation"]).all()
    assert np.isfinite(of(found, "pgm")["update_cos_fused"]).all()


def test_plug_ins_and_what_is_not_installed_are_left_out(
    gradients: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmark.methods.plugins import PluginEntry

    monkeypatch.setitem(AGGREGATORS, "mine", PluginEntry("nowhere:Nothing", "a plug-in"))
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    found = set(directions(probes_of(gradients), seed=0)["aggregator"])
    assert found == {name for name, entry in AGGREGATORS.items() if not entry.packages} - {"mine"}


@pytest.mark.parametrize(
    ("method", "common"),
    [("adam", True), ("spf(rank=2)+equal", True), ("css", False), ("concat", False), ("released/adam", True)],
)
def test_the_common_trajectory_is_that_of_equal_weights_on_spf(method: str, common: bool) -> None:
    assert is_common(parse_method(method, {})) == common


def test_a_runs_own_update_is_among_the_directions(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer("adam", epochs=3)
    train(trainer)
    probes = dict(zip(trainer.probe_columns, np.array(trainer.progress.conflict).T, strict=True))
    rows = directions(probes, seed=0)
    for o in OBJECTIVES:
        np.testing.assert_allclose(of(rows, "equal")[f"update_cos_{o}"], probes[f"update_cos_{o}"], atol=1e-9)
        np.testing.assert_allclose(of(rows, "pgm")[f"weight_{o}"], probes[f"weight_{o}"], atol=1e-9)
