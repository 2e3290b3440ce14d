"""What is searched, and how settings are drawn: from the registry, alike for all methods that share a parameter."""

import itertools
import math
import sys
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from benchmark.base.errors import UserError
from benchmark.experiment.grid import TUNING_SEEDS
from benchmark.methods import plugins
from benchmark.methods.registry import FUSIONS, TRAINING_SPACE
from benchmark.tuning.plan import fair_plans
from benchmark.tuning.space import Parameter, cells, draws, settings_of, space_of
from tests.benchmark.tuning.studies import plan, recipe

RANKS, ORDERS = (2, 4, 8, 16, 32, 64, 128), (1, 2, 3, 4, 5, 6)


def test_rank_and_order_of_spf_are_searched_and_training_settings_on_request() -> None:
    rank = {"kind": "int", "low": 2, "high": 128, "log": True, "step": 1, "choices": None}
    order = {"kind": "int", "low": 1, "high": 6, "log": False, "step": 1, "choices": None}
    assert {n: p.model_dump() for n, p in plan().space.items()} == {"rank": rank, "order": order}
    assert list(plan(also=("lr", "dropout")).space) == ["rank", "order", "lr", "dropout"]
    assert plan(also=tuple(TRAINING_SPACE)).default_settings == {
        "rank": 8, "order": 4, "lr": 1e-3, "dropout": 0.3, "temperature": 4.0, "weight_decay": 1e-5
    }  # fmt: skip


def test_what_a_method_itself_sets_is_not_searched() -> None:
    assert list(plan("spf(order=2)+pgm").space) == ["rank"]
    assert list(plan("css(rank=4)").space) == ["order"]
    assert plan("css(rank=4)").specs({"order": 5})[0].method.fusion.options["rank"] == 4


def test_a_method_without_options_to_search_says_what_can_be_searched() -> None:
    with pytest.raises(UserError, match=r"'concat' has no option to search; .* --also lr,dropout,temperature"):
        plan("concat").space  # noqa: B018
    with pytest.raises(UserError, match=r"unknown training setting .* 'lrr', did you mean 'lr'"):
        plan("concat", also=("lrr",)).space  # noqa: B018
    assert list(plan("concat", also=("lr",)).space) == ["lr"]


def test_a_default_outside_the_registered_range_widens_it() -> None:
    widened = recipe(training={"lr": 2e-2}).spec({}, TUNING_SEEDS)
    space = space_of("css", widened, ("lr",))
    assert (space["lr"].low, space["lr"].high) == (1e-5, 2e-2)


def test_a_full_grid_has_every_cell_once_and_the_default_first() -> None:
    study = plan()
    found = cells(study.space, study.default_settings)
    assert found[0] == {"rank": 8, "order": 4}
    assert Counter((c["rank"], c["order"]) for c in found) == Counter(itertools.product(RANKS, ORDERS))
    off = cells(study.space, {"rank": 9, "order": 4})
    assert (len(off), off[0]) == (43, {"rank": 9, "order": 4})
    with pytest.raises(UserError, match="has 26250 cells, more than 500"):
        cells(plan(also=tuple(TRAINING_SPACE)).space, {})


def test_methods_that_share_a_parameter_get_the_same_draws_and_other_studies_others() -> None:
    plans = fair_plans([recipe("css"), recipe("concat-matched"), recipe("tensor")], 3, 2, ("lr",))
    drawn = {
        (p.recipe.method, p.fair["index"]): list(islice(draws(p.space, p.default_settings, p.fair["index"]), 9))
        for p in plans
        if p.fair
    }
    assert len(drawn) == 9
    for index in range(3):
        assert drawn["css", index] == drawn["concat-matched", index]
        assert [d["lr"] for d in drawn["css", index]] == [d["lr"] for d in drawn["tensor", index]]
        assert drawn["css", index][0] == {"rank": 8, "order": 4, "lr": 1e-3}
    assert not any(a == b for a, b in zip(drawn["css", 0][1:], drawn["css", 1][1:], strict=True))
    assert {p.pruner for p in plans} == {None}
    assert len({p.fair["group"] for p in plans if p.fair}) == 1


def test_draws_are_evenly_distributed_over_a_range_or_its_logarithm() -> None:
    n = 20_000
    space = {name: plan(also=tuple(TRAINING_SPACE)).space[name] for name in ("rank", "order", "lr", "dropout")}
    space["flag"] = Parameter(kind="categorical", choices=(False, True))
    drawn = list(islice(draws(space, {}, 0), 1, n + 1))

    def share(name: str, low: float, high: float) -> float:
        return sum(low <= d[name] <= high for d in drawn) / n

    for order in ORDERS:
        assert share("order", order, order) == pytest.approx(1 / 6, abs=0.01)
    width = math.log(128.5) - math.log(1.5)  # each whole number k stands for [k - 1/2, k + 1/2]
    for rank in (2, 3, 128):
        expected = (math.log(rank + 0.5) - math.log(rank - 0.5)) / width
        assert share("rank", rank, rank) == pytest.approx(expected, abs=0.01)
    assert {d["rank"] for d in drawn} == set(range(2, 129))
    assert share("lr", 1e-5, 1e-4) == pytest.approx(1 / 3, abs=0.01)
    assert share("dropout", 0, 0.35) == pytest.approx(1 / 2, abs=0.01)
    assert share("flag", True, True) == pytest.approx(1 / 2, abs=0.01)
    assert share("lr", 1e-5, 1e-2) == share("dropout", 0, 0.7) == 1


def test_a_plug_in_brings_its_own_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "from baselines.fusions.linear import LinearFusion\nclass {0}(LinearFusion):\n    search_space = {1}\n" \
           "    def __init__(self, features, modalities, gain=1.0, deep=False):\n" \
           "        super().__init__(features, modalities)\n"  # fmt: skip
    spaces = {
        "Mine": "{'gain': (0.1, 10, 'log'), 'deep': (False, True)}",
        "Odd": "{'gain': (2, 1)}",
        "Lost": "{'gian': (1, 2)}",
    }
    (tmp_path / "my_spaces.py").write_text("\n".join(body.format(*item) for item in spaces.items()))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    for name in spaces:
        monkeypatch.setitem(FUSIONS, name, FUSIONS["linear"])
        del FUSIONS[name]  # put back, or rather taken away, afterwards
    plugins.register([f"my_spaces:{name}" for name in spaces])
    try:
        gain = {"kind": "float", "low": 0.1, "high": 10.0, "log": True, "step": None, "choices": None}
        found = plan("Mine+pgm").space
        assert list(found) == ["gain", "deep"]
        assert found["gain"].model_dump() == gain
        assert found["deep"].choices == (False, True)
        assert plan("Mine+pgm").specs({"gain": 3.5, "deep": True})[0].method.canonical == "Mine(deep=true,gain=3.5)+pgm"
        with pytest.raises(UserError, match=r"search_space has 'gain': \(2, 1\); write \(low, high\)"):
            plan("Odd").space  # noqa: B018
        with pytest.raises(UserError, match="'gian', did you mean 'gain'"):
            plan("Lost").space  # noqa: B018
    finally:
        sys.modules.pop("my_spaces", None)
        plugins.load_class.cache_clear()
        plugins._options.cache_clear()


def test_a_trials_runs_have_seeds_of_their_own_and_its_settings() -> None:
    found = plan(seeds=3, also=("lr",)).specs({"rank": 5, "order": 2, "lr": 0.004})
    assert [spec.seed for spec in found] == [1_000_000, 1_000_001, 1_000_002]
    assert len({spec.group for spec in found}) == 1
    assert settings_of(found[0], ["rank", "order", "lr"]) == {"rank": 5, "order": 2, "lr": 0.004}
    assert found[0].method.canonical == "spf(order=2,rank=5)+pgm"
