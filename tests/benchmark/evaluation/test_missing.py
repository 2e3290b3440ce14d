"""A modality that is missing at test time: what is changed, what is scored, and what is refused."""

from collections import Counter

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from benchmark.base.errors import UserError
from benchmark.data.conversations import Conversations
from benchmark.data.splits import RunData, split
from benchmark.evaluation.missing import HOW, conditions, robustness, without
from benchmark.experiment.provenance import Provenance
from benchmark.experiment.spec import RunSpec, Training
from benchmark.methods.parsing import parse_method
from benchmark.training.batches import PackedData, Standardizer
from benchmark.training.prediction import predict
from benchmark.training.trainer import Trainer, train
from tests.benchmark.data.own_corpora import corpus


@pytest.fixture(scope="module")
def conversations() -> Conversations:
    return corpus(3, 2)


def spec(method: str, *, standardize: bool = True) -> RunSpec:
    return RunSpec(
        dataset="mine", method=parse_method(method, {"rank": 4, "order": 2}), seed=3, preset="tiny",
        training=Training(
            hidden=8, heads=2, dropout=0.1, epochs=2, batch_size=4, lr=1e-2, weight_decay=0, temperature=1.0,
            class_weights=False, standardize=standardize, probe_every=50, probe_conversations=2,
        ),
        provenance=Provenance(data="d", source="s", torch="t", numpy="n", device="cpu"),
    )  # fmt: skip


def trained(method: str, conversations: Conversations, *, standardize: bool = True) -> tuple[Trainer, RunData]:
    data = split(conversations, 3)
    trainer = Trainer(spec(method, standardize=standardize), data)
    train(trainer)
    return trainer, data


def rows(x: np.ndarray) -> Counter[bytes]:
    return Counter(row.tobytes() for row in x)


def test_shuffled_vectors_are_the_same_ones_elsewhere_and_nothing_else_changes(conversations: Conversations) -> None:
    test = conversations.where("test")
    changed = without(test, ("audio", "shuffled"), 3)
    assert rows(changed.features["audio"]) == rows(test.features["audio"])
    assert (changed.features["audio"] != test.features["audio"]).any(axis=1).mean() > 0.5
    assert (without(test, ("audio", "shuffled"), 3).features["audio"] == changed.features["audio"]).all()
    assert (without(test, ("audio", "shuffled"), 4).features["audio"] != changed.features["audio"]).any()
    for name in ("text", "visual"):
        assert changed.features[name] is test.features[name]
    assert changed.ids == test.ids
    assert changed.label is test.label


@pytest.mark.parametrize("standardize", [False, True])
def test_the_model_is_given_zeros_for_a_modality_that_is_zeroed(
    conversations: Conversations, standardize: bool
) -> None:
    trainer, data = trained("css", conversations, standardize=standardize)
    standardizer = Standardizer.fit(data.train) if standardize else None
    changed = without(data.test, ("text", "zeroed"), 3, standardizer)
    seen: list[torch.Tensor] = []
    trainer.model.encoder.inputs["text"].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    predict(trainer.model, PackedData(changed, "cpu", standardizer))
    assert seen
    assert all((batch == 0).all() for batch in seen)


@pytest.mark.parametrize(("method", "modalities"), [("css", ("text", "audio", "visual")), ("text-only", ("text",))])
def test_scores_are_those_of_the_selected_weights_for_each_modality_that_is_seen(
    conversations: Conversations, method: str, modalities: tuple[str, ...]
) -> None:
    trainer, data = trained(method, conversations)
    recorded = trainer.progress.probabilities
    assert recorded is not None
    scores = robustness(trainer.spec, trainer.progress.weights, data.train, conversations, recorded.numpy())
    assert [(c["modality"], c["how"]) for c in scores["conditions"]] == [(m, how) for m in modalities for how in HOW]
    label = conversations.where("test").label
    predicted = recorded.argmax(1).numpy()
    assert scores["intact"]["weighted_f1"] == f1_score(label, predicted, average="weighted", zero_division=0)
    trainer.model.load_state_dict(trainer.progress.weights)
    trainer.model.eval()
    standard = Standardizer.fit(data.train)
    for condition in scores["conditions"]:
        changed = without(data.test, (condition["modality"], condition["how"]), 3, standard)
        features = {
            m: torch.from_numpy((x - standard.mean[m]) * standard.scale[m]) for m, x in changed.features.items()
        }
        with torch.no_grad():
            logits = trainer.model(features, torch.from_numpy(changed.speaker), torch.from_numpy(changed.lengths)).fused
        expected = f1_score(label, logits.argmax(-1).numpy(), average="weighted", zero_division=0)
        assert condition["weighted_f1"] == pytest.approx(expected), condition
    assert any(c["weighted_f1"] != scores["intact"]["weighted_f1"] for c in scores["conditions"])


def test_weights_that_predict_something_else_than_the_run_are_refused(conversations: Conversations) -> None:
    trainer, data = trained("adam", conversations)
    recorded = trainer.progress.probabilities
    assert recorded is not None
    changed = {name: t + 0.5 for name, t in trainer.progress.weights.items()}
    with pytest.raises(UserError, match="do not predict here what the run has kept"):
        robustness(trainer.spec, changed, data.train, conversations, recorded.numpy())
    with pytest.raises(UserError, match=r"the weights are not of this version's concat: .* make the run again"):
        robustness(spec("concat"), changed, data.train, conversations, recorded.numpy())


@pytest.mark.parametrize(
    ("drop", "shuffle", "said"),
    [
        ("sound", None, "unknown modality 'sound'"),
        (",", None, "--drop names nothing: ','"),
        ("text", "audio,text", "--drop and --shuffle both name text"),
    ],
)
def test_modalities_that_cannot_be_missing_are_refused(drop: str | None, shuffle: str | None, said: str) -> None:
    with pytest.raises(UserError, match=said):
        conditions(drop, shuffle, ("text", "audio"))


def test_options_name_modalities_to_be_zeroed_and_shuffled() -> None:
    assert conditions(None, None, ("text",)) == []
    assert conditions("text,text", "audio", ("text", "audio")) == [("text", "zeroed"), ("audio", "shuffled")]
