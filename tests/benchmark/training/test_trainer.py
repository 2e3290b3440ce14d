from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from benchmark.base.errors import UserError
from benchmark.data.conversations import Conversations
from benchmark.data.splits import RunData, split
from benchmark.evaluation.scoring import Scorer
from benchmark.experiment.spec import RunSpec
from benchmark.methods.entries import Entry
from benchmark.methods.parts import Component
from benchmark.methods.registry import ENCODERS, FUSIONS, METHODS
from benchmark.training import trainer as module
from benchmark.training.building import build_model, parameter_counts, refuse_unbuildable
from benchmark.training.gradients import Objectives
from benchmark.training.trainer import HISTORY_COLUMNS, STEP_COLUMNS, Trainer, train
from css.interfaces import OBJECTIVES, Fusion
from css.layers import Dropout
from css.modulator import ParetoGradientModulator
from css.released import ReleasedEncoder, ReleasedPolynomialFusion

Make = Callable[..., Trainer]


def everything(trainer: Trainer) -> dict[str, Any]:
    """All that a run leaves behind but its timings, comparable bit by bit."""
    progress = trainer.progress
    return {
        "state": {name: t.clone() for name, t in trainer.state().items()},
        "steps": np.stack(progress.steps).tobytes(),
        "history": np.array(progress.history).tobytes(),
        "conflict": np.array(progress.conflict).tobytes(),
        "predictions": np.stack(progress.test_predictions).tobytes(),
        "probabilities": None if progress.probabilities is None else progress.probabilities.numpy().tobytes(),
        "weights": {name: t.numpy().tobytes() for name, t in progress.weights.items()} if progress.kept else None,
        "selected": progress.selected,
        "counts": trainer.counts(),
    }


def assert_same(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert a["state"].keys() == b["state"].keys()
    for name, t in a["state"].items():
        assert torch.equal(t, b["state"][name]), name
    for name in a.keys() - {"state"}:
        assert a[name] == b[name], name


def steps(trainer: Trainer, column: str) -> list[float]:
    return np.concatenate(trainer.progress.steps)[:, STEP_COLUMNS.index(column)].tolist()


# The same again, and paired


@pytest.mark.parametrize("method", METHODS)
def test_the_same_specification_gives_the_same_bits(method: str, make_trainer: Make) -> None:
    first = make_trainer(method)
    train(first)
    torch.rand(5)
    np.random.default_rng().random()
    again = make_trainer(method)
    train(again)

    assert_same(everything(first), everything(again))


@pytest.mark.parametrize("method", METHODS)
def test_another_seed_is_another_run(method: str, make_trainer: Make) -> None:
    a, b = make_trainer(method, seed=0), make_trainer(method, seed=2)  # the same session held out
    for name, t in a.model.named_parameters():
        if not name.endswith(("norm.weight", "norm.bias", "norm_weight", "norm_bias", "fusion.gate")):
            assert not torch.equal(t, dict(b.model.named_parameters())[name]), name
    assert not torch.equal(a.dropout.get_state(), b.dropout.get_state())
    assert torch.equal(a.validation_data._label, b.validation_data._label)
    train(a)
    train(b)
    assert a.progress.history != b.progress.history


def test_an_aggregator_that_draws_does_so_by_the_runs_seed(make_trainer: Make) -> None:
    first, same, other = (make_trainer("pcgrad", seed=s).aggregator.generator.get_state() for s in (0, 0, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def shared_with_every_method(trainer: Trainer) -> dict[str, Tensor]:
    return {n: t for n, t in trainer.model.state_dict().items() if n.startswith(("encoder.", "unimodal."))}


def test_methods_start_from_the_same_encoder_and_unimodal_classifiers(make_trainer: Make) -> None:
    reference = shared_with_every_method(make_trainer("css", seed=5))
    assert reference
    for method in METHODS:
        found = shared_with_every_method(make_trainer(method, seed=5))
        assert found.keys() == reference.keys()
        for name, t in reference.items():
            assert torch.equal(t, found[name]), (method, name)


def test_methods_with_the_same_fusion_start_from_the_same_fusion(make_trainer: Make) -> None:
    a, b, c = (make_trainer(m).model.state_dict() for m in ("css", "adam", "pcgrad"))
    for name, t in a.items():
        assert torch.equal(t, b[name])
        assert torch.equal(t, c[name])


def test_methods_see_the_same_batches_and_the_same_dropout_masks(make_trainer: Make) -> None:
    """Every mask and every batch of three epochs; a mask is what dropout multiplies by."""
    seen: dict[str, list[Tensor]] = {}
    for method in METHODS:
        trainer = make_trainer(method, epochs=3, probe_every=1000)
        record = seen[method] = [trainer.dropout.get_state()]

        def keeping_masks(draw: Callable[..., Tensor | None], record: list[Tensor] = record) -> Any:
            def multiplier(shape: Any, like: Tensor) -> Tensor | None:
                drawn = draw(shape, like)
                record.extend(() if drawn is None else (drawn.clone(),))
                return drawn

            return multiplier

        def keeping_batches(vjp: Callable[..., Any], record: list[Tensor] = record) -> Any:
            def kept(features: dict[str, Tensor], speakers: Tensor, lengths: Tensor) -> Any:
                record.extend((features["text"].clone(), speakers.clone(), lengths.clone()))
                return vjp(features, speakers, lengths)

            return kept

        for part in trainer.model.modules():
            if type(part) is Dropout:
                part.multiplier = keeping_masks(part.multiplier)  # type: ignore[method-assign]
        encoder = trainer.model.encoder
        encoder.vjp = keeping_batches(encoder.vjp)  # type: ignore[method-assign]
        train(trainer)
        record.append(trainer.dropout.get_state())
    assert len(seen["css"]) > 50
    for method, record in seen.items():
        assert len(record) == len(seen["css"])
        assert all(torch.equal(a, b) for a, b in zip(record, seen["css"], strict=True)), method


def test_the_first_forward_pass_in_training_is_the_same_for_every_method(make_trainer: Make) -> None:
    reference: dict[str, Tensor] = {}
    for method in METHODS:
        trainer = make_trainer(method)
        batch = next(iter(trainer.train_data.epoch(4, 0, 1)))
        features = trainer.model.encoder(batch.features, batch.speakers, batch.lengths)
        found = features | {f"{m} logits": x for m, x in trainer.model.unimodal(features).items()}
        reference = reference or found
        for name, t in reference.items():
            assert torch.equal(t, found[name]), (method, name)


def test_dropout_masks_differ_from_step_to_step(make_trainer: Make) -> None:
    trainer = make_trainer()
    batch = trainer.train_data.batch(range(4))
    a, b = (trainer.model.encoder(batch.features, batch.speakers, batch.lengths)["text"] for _ in range(2))
    assert not torch.equal(a, b)


# What is recorded


@pytest.mark.parametrize("method", ["css", "adam"])
def test_history_and_steps_have_a_row_each(method: str, make_trainer: Make) -> None:
    trainer = make_trainer(method, epochs=3, batch_size=3)
    conversations = len(trainer.train_data.conversations)
    per_epoch = -(-conversations // 3)
    for epoch in range(1, 4):
        assert trainer.progress.epoch == epoch - 1
        assert not trainer.finished
        row = trainer.train_epoch()
        assert tuple(row) == HISTORY_COLUMNS
        assert row == trainer.progress.latest()
    assert trainer.finished

    progress = trainer.progress
    assert [a.shape for a in progress.steps] == [(per_epoch, len(trainer.step_columns))] * 3
    assert trainer.counts()["steps"] == 3 * per_epoch
    assert trainer.counts()["backward_passes"] == 3 * per_epoch * (3 if method == "css" else 1)
    assert [p.shape for p in progress.test_predictions] == [(trainer.test_data.conversations.utterances,)] * 3
    for epoch, rows in enumerate(progress.steps):
        for i, o in enumerate(OBJECTIVES):
            assert progress.column(f"train_loss_{o}")[epoch] == pytest.approx(rows[:, i].mean())
        assert progress.column("train_total")[epoch] == pytest.approx(rows[:, :3].mean(0).sum())
    assert np.isnan(steps(trainer, "cos_fused_unimodal")).all() == (method == "adam")
    assert np.sum([steps(trainer, f"weight_{o}") for o in OBJECTIVES], axis=0) == pytest.approx(np.ones(3 * per_epoch))
    assert set(steps(trainer, "skipped")) == {0}
    assert all(seconds > 0 for seconds in progress.seconds.values())


def test_steps_record_losses_and_norm_of_the_update(make_trainer: Make) -> None:
    trainer = make_trainer("css")
    batch = trainer.train_data.batch(range(4))
    masks = trainer.dropout.get_state()
    with torch.no_grad():
        losses = torch.stack(trainer.objective(trainer.model(batch.features, batch.speakers, batch.lengths), batch))
    trainer.dropout.set_state(masks)
    row = dict(zip(trainer.step_columns, trainer._step(batch).tolist(), strict=True))

    assert [row[f"loss_{o}"] for o in OBJECTIVES] == pytest.approx(losses.tolist(), rel=1e-5)
    update = trainer.parameters.flat.grad
    assert update is not None
    assert row["gradient_norm"] == pytest.approx(float(update.norm()), rel=1e-5)


@pytest.mark.parametrize("method", ["css", "paper(theta_speakers=true)/pcgrad", "released/css"])
def test_steps_record_the_conflict_on_the_training_batch_by_block(method: str, make_trainer: Make) -> None:
    trainer = make_trainer(method)
    batch = trainer.train_data.batch(range(4))
    masks = trainer.dropout.get_state()
    losses = trainer.objective(trainer.model(batch.features, batch.speakers, batch.lengths), batch)
    theta = trainer.model.encoder.shared_parameters()
    rows = [torch.autograd.grad(x, list(theta.values()), retain_graph=True, materialize_grads=True) for x in losses]
    gradients = [dict(zip(theta, row, strict=True)) for row in rows]
    trainer.dropout.set_state(masks)
    row = dict(zip(trainer.step_columns, trainer._step(batch).tolist(), strict=True))

    assert {column.partition(".")[0] for column in row if "." in column} == {name.partition(".")[0] for name in theta}
    for prefix in {"", *(name.partition(".")[0] + "." for name in theta)}:
        flat = [torch.cat([g.flatten() for n, g in of.items() if n.startswith(prefix)]).double() for of in gradients]
        for i, a in enumerate(OBJECTIVES):
            if not prefix:
                assert row[f"norm_{a}"] == pytest.approx(float(flat[i].norm()), rel=1e-4)
            for j in range(i + 1, 3):
                expected = float(torch.cosine_similarity(flat[i], flat[j], dim=0))
                assert row[f"{prefix}cos_{a}_{OBJECTIVES[j]}"] == pytest.approx(expected, abs=1e-4)


def test_validation_scores_are_those_of_the_evaluated_model(make_trainer: Make) -> None:
    trainer = make_trainer()
    row = trainer.train_epoch()
    data = trainer.validation_data
    trainer.model.eval()
    with torch.no_grad():
        batch = data.batch(range(len(data.conversations)))
        p = trainer.model(batch.features, batch.speakers, batch.lengths).fused.softmax(-1)
    label = torch.from_numpy(trainer.validation_label)
    assert row["validation_accuracy"] == pytest.approx(float((p.argmax(-1) == label).double().mean()))
    assert row["validation_loss"] == pytest.approx(float(-p[torch.arange(len(p)), label].log().mean()), rel=1e-4)
    test = trainer.test_data.batch(range(len(trainer.test_data.conversations)))
    with torch.no_grad():
        p = trainer.model(test.features, test.speakers, test.lengths).fused.softmax(-1)
    assert trainer.progress.test_predictions[0].tolist() == p.argmax(-1).tolist()


@pytest.mark.parametrize(
    ("f1", "selected"),
    [([0.3, 0.5, 0.5, 0.4], 2), ([0.5, 0.4, 0.5, 0.5], 1), ([0.1, 0.2, 0.3, 0.4], 4), ([0.0] * 4, 1)],
)
def test_the_selected_epoch_is_the_earliest_best_on_validation_and_the_budget_is_always_used(
    f1: list[float], selected: int, make_trainer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = iter(f1)
    names = ("validation_loss", "validation_accuracy", "validation_weighted_f1", "validation_macro_f1")
    monkeypatch.setattr(
        module, "validation_scores", lambda *_: dict(zip(names, (1.0, 0.9, next(values), 0.8), strict=True))
    )
    seen: list[Tensor] = []
    predict = module.predict

    def keep(model: nn.Module, data: Any) -> Tensor:
        found = predict(model, data)
        seen.append(found)
        return found

    monkeypatch.setattr(module, "predict", keep)
    trainer = make_trainer(epochs=4)
    assert train(trainer) is True

    assert trainer.progress.epoch == 4
    assert trainer.progress.column("validation_weighted_f1") == f1
    assert trainer.progress.selected == selected
    assert trainer.progress.probabilities is not None
    assert torch.equal(trainer.progress.probabilities, seen[2 * selected - 1])  # validation, test, validation, test, …
    for epoch, row in enumerate(trainer.progress.test_predictions):
        assert row.dtype == np.uint8
        assert row.tolist() == seen[2 * epoch + 1].argmax(-1).tolist()


def test_training_can_be_stopped_between_epochs_and_goes_on_to_the_same_end(make_trainer: Make) -> None:
    whole, parts = make_trainer("pcgrad", epochs=3), make_trainer("pcgrad", epochs=3)
    train(whole)
    torch.manual_seed(0)
    epochs: list[int] = []
    assert train(parts, lambda t: epochs.append(t.progress.epoch), stop=lambda: True) is False
    assert epochs == [1]
    assert train(parts, lambda t: epochs.append(t.progress.epoch), stop=lambda: t_is(epochs, 3)) is True
    assert epochs == [1, 2, 3]
    a, b = everything(whole), everything(parts)
    a["state"].pop("generator.global"), b["state"].pop("generator.global")
    assert_same(a, b)


def t_is(epochs: list[int], last: int) -> bool:
    return epochs[-1] == last


# No test label


def test_training_refuses_test_labels(corpus: Conversations, make_spec: Callable[..., RunSpec]) -> None:
    data = split(corpus, 0)
    with pytest.raises(AssertionError, match="test labels"):
        Trainer(make_spec(), RunData(data.train, data.validation, corpus.where("test")))


def test_a_run_refuses_the_split_of_another_protocol(corpus: Conversations, make_spec: Callable[..., RunSpec]) -> None:
    published = make_spec().model_copy(update={"protocol": "published"})
    for spec, hold_out in ((make_spec(), False), (published, True)):
        with pytest.raises(AssertionError, match="the split is of another protocol"):
            Trainer(spec, split(corpus, 0, hold_out=hold_out))


def test_without_validation_the_last_epochs_probabilities_are_kept(
    corpus: Conversations, make_spec: Callable[..., RunSpec]
) -> None:
    spec = make_spec(epochs=3).model_copy(update={"protocol": "published"})
    trainer = Trainer(spec, split(corpus, 0, hold_out=False))
    for _ in range(3):
        trainer.train_epoch()
        progress = trainer.progress
        assert progress.selected is None
        assert progress.probabilities is not None
        assert progress.probabilities.argmax(-1).tolist() == progress.test_predictions[-1].tolist()
        assert np.isnan(list(progress.latest().values())).sum() == 4


def test_no_number_of_a_run_depends_on_test_labels_but_the_scorers(corpus: Conversations, make_trainer: Make) -> None:
    assert corpus.label is not None
    label = corpus.label.copy()
    label[corpus.rows([b for b, s in enumerate(corpus.split) if s == "test"])] = -999  # cross-entropy would refuse it
    a, b = make_trainer(), make_trainer(data=replace(corpus, label=label))
    train(a)
    train(b)

    assert_same(everything(a), everything(b))
    assert Scorer(replace(corpus, label=label)).label.tolist() == [-999] * corpus.where("test").utterances


def test_test_and_validation_features_do_not_move_the_training(corpus: Conversations, make_trainer: Make) -> None:
    held_out = corpus.rows([b for b, n in enumerate(corpus.ids) if n.startswith(("Ses01", "Ses05"))])
    features = {m: x.copy() for m, x in corpus.features.items()}
    for x in features.values():
        x[held_out] += 100
    a, b = make_trainer(), make_trainer(data=replace(corpus, features=features))
    train(a)
    train(b)

    for name, t in a.state().items():
        assert torch.equal(t, b.state()[name]), name
    assert a.progress.test_predictions[-1].tolist() != b.progress.test_predictions[-1].tolist()


# Every part with its options


def test_each_part_of_a_method_is_built_with_its_options(make_trainer: Make) -> None:
    built = make_trainer(
        "released(meld_step=true)/spf-released(residual=false)+pgm(solver=slsqp)/paper(t_squared=true)"
    )

    assert isinstance(built.model.encoder, ReleasedEncoder)
    assert set(built.model.encoder.text_shift) == {"audio", "visual"}
    assert isinstance(built.model.fusion, ReleasedPolynomialFusion)
    assert built.model.fusion.residual is None
    assert isinstance(built.aggregator, ParetoGradientModulator)
    assert built.aggregator.solver == "slsqp"
    batch = built.train_data.batch(range(4))
    logits = built.model(batch.features, batch.speakers, batch.lengths)
    plain, squared = make_trainer("css").objective(logits, batch), built.objective(logits, batch)
    ratio = [b.item() / a.item() for a, b in zip(plain, squared, strict=True)]
    assert ratio == pytest.approx([1, 1, built.spec.training.temperature**2])


@pytest.mark.parametrize(("method", "moved"), [("css", False), ("css-released", True)])
def test_only_an_attached_teacher_is_moved_by_the_distillation(method: str, moved: bool, make_trainer: Make) -> None:
    trainer = make_trainer(method)
    batch = trainer.train_data.batch(range(4))
    logits = trainer.model(batch.features, batch.speakers, batch.lengths)
    (g,) = torch.autograd.grad(
        trainer.objective(logits, batch)[2], trainer.model.classifier.weight, materialize_grads=True
    )
    assert bool(g.any()) == moved


# Class weights, standardisation


def test_class_weights_are_inverse_frequencies_of_the_runs_training_data(make_trainer: Make) -> None:
    found = {}
    for seed in (0, 1):
        trainer = make_trainer(seed=seed)
        label = trainer.train_data.conversations.label
        assert label is not None
        share = [np.mean(label == c) for c in range(3)]
        assert trainer.objective.class_weights is not None
        found[seed] = trainer.objective.class_weights.tolist()
        assert found[seed] == pytest.approx([1 / s for s in share], rel=1e-6)
    assert found[0] != found[1]
    assert make_trainer(class_weights=False).objective.class_weights is None


def test_a_class_that_does_not_occur_has_a_finite_weight(corpus: Conversations, make_trainer: Make) -> None:
    trainer = make_trainer(data=replace(corpus, class_names=(*corpus.class_names, "never")))
    assert trainer.objective.class_weights is not None
    assert trainer.objective.class_weights.isfinite().all()


def test_features_are_standardised_only_where_the_specification_says_so(
    corpus: Conversations, make_trainer: Make
) -> None:
    raw = split(corpus, 0)
    plain, standardized = make_trainer(standardize=False), make_trainer()
    for name, part in (("train", raw.train), ("validation", raw.validation), ("test", raw.test)):
        for m, x in part.features.items():
            a, b = (getattr(trainer, f"{name}_data") for trainer in (plain, standardized))
            assert torch.equal(a.batch(range(len(part))).features[m], torch.from_numpy(x))
            found = b.batch(range(len(part))).features[m]
            expected = (x - raw.train.features[m].mean(0)) / raw.train.features[m].std(0)
            np.testing.assert_allclose(found.numpy(), expected, rtol=1e-3, atol=1e-4)


# The update


@pytest.mark.parametrize("fusion", ["spf", "concat", "tensor"])
def test_training_with_equal_weights_is_adam_on_the_mean_loss(
    fusion: str, make_trainer: Make, make_spec: Callable[..., RunSpec]
) -> None:
    trainer = make_trainer(f"{fusion}+equal", epochs=3, probe_every=1000)
    spec = trainer.spec
    data = trainer.train_data
    model, _ = build_model(spec, data.conversations, "cpu")
    settings = spec.training
    adam = torch.optim.Adam(
        model.parameters(), lr=settings.lr, weight_decay=settings.weight_decay, foreach=False, fused=False
    )
    losses = []
    for epoch in (1, 2, 3):
        for batch in data.epoch(settings.batch_size, spec.seed, epoch):
            objectives = torch.stack(trainer.objective(model(batch.features, batch.speakers, batch.lengths), batch))
            adam.zero_grad()
            (objectives.sum() / 3).backward()
            adam.step()
            losses.append(objectives.tolist())
    train(trainer)

    recorded = np.concatenate(trainer.progress.steps)[:, :3]
    np.testing.assert_allclose(recorded, losses, rtol=1e-4)
    start, _ = build_model(spec, data.conversations, "cpu")
    for (name, a), b, c in zip(trainer.model.named_parameters(), model.parameters(), start.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4, msg=lambda m, n=name: f"{n}: {m}")
        assert not torch.equal(a, c), name


@pytest.mark.parametrize("method", ["css", "pcgrad", "concat+pgm", "pgm-theta-only", "pgm-periodic(every=2)"])
def test_training_with_a_gramian_is_adam_on_the_weighted_loss(method: str, make_trainer: Make) -> None:
    """With the recorded γ: all parameters under PGM, θ alone under PCGrad, whose other parameters get the mean."""
    trainer = make_trainer(method, epochs=2, probe_every=1000)
    spec, data = trainer.spec, trainer.train_data
    train(trainer)
    recorded = np.concatenate(trainer.progress.steps)
    first = STEP_COLUMNS.index("weight_fused")
    gammas = torch.from_numpy(recorded[:, first : first + 3]).float()
    assert (gammas - 1 / 3).abs().max() > 1e-3

    model, _ = build_model(spec, data.conversations, "cpu")
    settings = spec.training
    adam = torch.optim.Adam(
        model.parameters(), lr=settings.lr, weight_decay=settings.weight_decay, foreach=False, fused=False
    )
    theta = set(model.encoder.shared_parameters().values())
    others = [p for p in model.parameters() if p not in theta]
    number = 0
    for epoch in (1, 2):
        for batch in data.epoch(settings.batch_size, spec.seed, epoch):
            objectives = torch.stack(trainer.objective(model(batch.features, batch.speakers, batch.lengths), batch))
            adam.zero_grad()
            (gammas[number] @ objectives).backward(retain_graph=True)
            if method in ("pcgrad", "pgm-theta-only"):
                for p, g in zip(others, torch.autograd.grad(objectives.mean(), others), strict=True):
                    p.grad = g
            adam.step()
            number += 1
    for (name, a), b in zip(trainer.model.named_parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=2e-4, msg=lambda m, n=name: f"{n}: {m}")


def test_steps_that_hold_pgms_weights_cost_one_backward_pass(make_trainer: Make) -> None:
    trainer = make_trainer("pgm-periodic(every=3)", epochs=2, batch_size=2)
    train(trainer)

    solved = ~np.isnan(steps(trainer, "cos_fused_unimodal"))
    assert solved.tolist() == [step % 3 == 0 for step in range(len(solved))]
    assert trainer.counts()["backward_passes"] == 3 * solved.sum() + (~solved).sum()
    for name, passes in (("css", 3), ("adam", 1)):
        other = make_trainer(name)
        train(other)
        assert other.counts()["backward_passes"] == passes * other.counts()["steps"]  # type: ignore[operator]


class Poisoned(Objectives):
    """Objectives some of which become NaN, value and gradient."""

    def __init__(self, healthy: Objectives, factor: tuple[float, float, float]) -> None:
        super().__init__(healthy.temperature, healthy.class_weights)
        object.__setattr__(self, "factor", torch.tensor(factor))

    def __call__(self, *arguments: Any) -> tuple[Tensor, ...]:
        return tuple(x * f for x, f in zip(super().__call__(*arguments), self.factor, strict=True))


def training_state(trainer: Trainer) -> dict[str, Tensor]:
    return {n: t.clone() for n, t in trainer.state().items() if n.startswith(("model.", "optimizer."))}


@pytest.mark.parametrize("begun", [True, False])
def test_a_step_without_a_usable_gradient_is_skipped_and_counted(begun: bool, make_trainer: Make) -> None:
    trainer = make_trainer("css", epochs=4, probe_every=1000)
    healthy = trainer.objective
    trainer.train_epoch() if begun else None
    before = training_state(trainer)
    trainer.objective = Poisoned(healthy, (torch.nan,) * 3)
    trainer.train_epoch()

    after = training_state(trainer)
    for name, t in before.items():
        assert torch.equal(t, after[name]), name
    for name, t in after.items():
        assert t.isfinite().all(), name
        if name not in before:
            assert not t.any(), name
    per_epoch = len(trainer.progress.steps[-1])
    assert trainer.counts()["skipped_steps"] == per_epoch
    assert trainer.counts()["masked_objectives"] == dict.fromkeys(OBJECTIVES, per_epoch)
    assert steps(trainer, "skipped")[-per_epoch:] == [1] * per_epoch
    assert steps(trainer, "gradient_norm")[-per_epoch:] == [0] * per_epoch
    assert np.isnan(steps(trainer, "loss_fused")[-per_epoch:]).all()

    trainer.objective = healthy
    row = trainer.train_epoch()
    assert np.isfinite(list(row.values())).all()
    assert trainer.counts()["skipped_steps"] == per_epoch
    assert any(not torch.equal(t, training_state(trainer)[name]) for name, t in before.items())


@pytest.mark.parametrize("method", ["css", "concat+pgm"])
def test_a_masked_objective_is_counted_and_does_not_enter_the_update(method: str, make_trainer: Make) -> None:
    poisoned = make_trainer(method, epochs=2)
    poisoned.objective = Poisoned(poisoned.objective, (1, 1, torch.nan))
    train(poisoned)
    without = make_trainer(method, epochs=2)
    without.objective = Poisoned(without.objective, (1, 1, 0))
    train(without)

    total = poisoned.counts()["steps"]
    assert poisoned.counts()["masked_objectives"] == {"fused": 0, "unimodal": 0, "distillation": total}
    assert poisoned.counts()["skipped_steps"] == 0
    assert set(steps(poisoned, "weight_distillation")) == {0}
    a, b = training_state(poisoned), training_state(without)
    for name, t in a.items():
        assert torch.equal(t, b[name]), name


def test_a_diverging_baseline_is_recorded_and_not_hidden(make_trainer: Make) -> None:
    trainer = make_trainer("adam", epochs=2)
    trainer.objective = Poisoned(trainer.objective, (1, torch.nan, 1))
    with pytest.raises(UserError, match=r"adam \(seed 0\) diverged: logits are not finite after any epoch"):
        train(trainer)

    assert trainer.counts()["skipped_steps"] == 0
    assert np.isnan(steps(trainer, "loss_unimodal")).all()
    assert np.isnan(trainer.progress.latest()["validation_loss"])
    assert trainer.progress.column("finite") == [0, 0]
    assert trainer.progress.selected is None
    assert np.isnan(trainer.progress.best)
    assert trainer.progress.epoch == 2


class Overflowing(Fusion):
    """A fusion that overflows in evaluation between two counts of training batches."""

    def __init__(self, fusion: Fusion, first: int, last: int, value: float = torch.inf) -> None:
        super().__init__()
        self.fusion, self.out_features = fusion, fusion.out_features
        self.first, self.last, self.value, self.batches = first, last, value, 0

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        fused = self.fusion(features)
        self.batches += self.training
        overflows = not self.training and self.first <= self.batches <= self.last
        return fused + self.value if overflows else fused


@pytest.mark.parametrize("value", [torch.inf, torch.nan])
def test_an_epoch_whose_logits_overflowed_is_not_selected(
    value: float, make_trainer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("validation_loss", "validation_accuracy", "validation_weighted_f1", "validation_macro_f1")
    monkeypatch.setattr(module, "validation_scores", lambda *_: dict.fromkeys(names, 0.2))
    trainer = make_trainer("adam", epochs=3)
    trainer.train_epoch()
    batches = len(trainer.progress.steps[0])
    trainer = make_trainer("adam", epochs=3)
    trainer.model.fusion = Overflowing(trainer.model.fusion, 1, batches, value)  # in epoch 1
    train(trainer)

    progress = trainer.progress
    assert progress.column("finite") == [0, 1, 1]
    for name in names:
        assert np.isnan(progress.column(name)).tolist() == [True, False, False]
    assert (progress.selected, progress.best) == (2, 0.2)
    assert progress.probabilities is not None
    assert progress.probabilities.isfinite().all()


def test_an_epoch_is_not_selected_where_a_single_logit_of_the_test_data_overflowed(make_trainer: Make) -> None:
    trainer = make_trainer("adam", epochs=2)
    healthy = module.predict(trainer.model, trainer.test_data)
    where = torch.zeros(len(healthy), 3)
    where[4, 2] = -torch.inf  # of a class: its probability would be 0, the others' would sum to 1

    class Classifier(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x[:, :3] + (where if len(x) == len(where) else 0)

    assert len(where) != trainer.validation_data.conversations.utterances
    trainer.model.classifier = Classifier()
    predicted = module.predict(trainer.model, trainer.test_data)
    row = trainer.train_epoch()

    assert predicted.isnan().all(dim=1).tolist() == [i == 4 for i in range(len(where))]
    assert row["finite"] == 0
    assert np.isnan(row["validation_weighted_f1"])
    assert trainer.progress.selected is None


@pytest.mark.parametrize("overflowing", [1, 3])
def test_without_validation_data_the_last_epoch_has_to_be_finite(
    overflowing: int, corpus: Conversations, make_spec: Callable[..., RunSpec]
) -> None:
    spec = make_spec("adam", epochs=3).model_copy(update={"protocol": "published"})
    trainer = Trainer(spec, split(corpus, 0, hold_out=False))
    batches = -(-len(trainer.train_data.conversations) // spec.training.batch_size)
    trainer.model.fusion = Overflowing(trainer.model.fusion, batches * (overflowing - 1) + 1, batches * overflowing)
    if overflowing == 3:
        with pytest.raises(UserError, match="not finite after the last epoch, which counts"):
            train(trainer)
    else:
        assert train(trainer)
    assert trainer.progress.column("finite") == [float(epoch != overflowing) for epoch in (1, 2, 3)]


# Going on


class DroppingFusion(Fusion):
    """A mean of the modalities with dropout of its own, which draws from torch's global generator."""

    def __init__(self, features: int, modalities: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.out_features = features
        self.linear = nn.Linear(features, features)
        self.dropout = nn.Dropout(0.5)

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        return self.dropout(self.linear(torch.stack(list(features.values())).mean(0)))


@pytest.fixture
def dropping(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setitem(FUSIONS, "dropping", Entry(f"{__name__}:DroppingFusion", "draws from the global generator"))
    return "dropping"


@pytest.mark.parametrize(
    "method",
    [
        *METHODS,
        "css-released",
        "dropping+pcgrad",
        "dropping",
        "gradvac",
        "uncertainty(rate=0.5)",
        "pgm-periodic(every=3)",
        "dwa",
        "famo",
        "gradnorm",
        "rlw",
        "gradvac(unit=true)",
    ],
)
@pytest.mark.usefixtures("dropping")
def test_a_run_that_was_cut_off_goes_on_to_the_same_bits(method: str, make_trainer: Make) -> None:
    whole = make_trainer(method, epochs=4)
    whole.train_epoch()
    whole.train_epoch()
    state, progress = {n: t.clone() for n, t in whole.state().items()}, deepcopy(whole.progress)
    train(whole)

    torch.rand(7)
    resumed = make_trainer(method, epochs=4)
    resumed.load_state(state)
    resumed.progress = progress
    assert {n for n, t in resumed.state().items() if not torch.equal(t, state[n])} == set()
    train(resumed)

    assert_same(everything(whole), everything(resumed))


@pytest.mark.usefixtures("dropping")
def test_what_a_fusion_draws_is_the_runs_own_and_does_not_shift_the_encoders_masks(make_trainer: Make) -> None:
    states = []
    for noise in (0, 11):
        torch.rand(noise)
        trainer = make_trainer("dropping")
        train(trainer)
        states.append(everything(trainer))
    assert_same(*states)
    plain = make_trainer("adam")
    train(plain)
    assert torch.equal(plain.dropout.get_state(), states[0]["state"]["generator.dropout"])


def test_a_state_has_every_generator_and_every_moment(make_trainer: Make) -> None:
    trainer = make_trainer("pcgrad")
    trainer.train_epoch()
    names = set(trainer.state())

    assert {"generator.dropout", "generator.global", "aggregator._extra_state"} <= names
    assert {f"optimizer.0.{n}" for n in ("step", "exp_avg", "exp_avg_sq")} <= names
    assert trainer.state()["optimizer.0.exp_avg"].numel() == sum(p.numel() for p in trainer.model.parameters())
    assert {f"model.{n}" for n in trainer.model.state_dict()} <= names


def test_parts_of_the_parameter_count_add_up(make_trainer: Make) -> None:
    for method in METHODS:
        model = make_trainer(method).model
        counts = parameter_counts(model)
        assert counts["total"] == sum(p.numel() for p in model.parameters())
        assert counts["total"] == counts["encoder"] + counts["fusion"] + counts["classifiers"]
        assert counts["fusion"] == sum(p.numel() for p in model.fusion.parameters())
        assert counts["encoder"] == sum(p.numel() for p in model.encoder.parameters())


@pytest.mark.parametrize("method", ["css", "adam"])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_encoder_trains_and_is_probed(
    encoder: str, method: str, corpus: Conversations, make_spec: Callable[..., RunSpec]
) -> None:
    spec = make_spec(method, epochs=2).model_copy(update={"encoder": Component(name=encoder)})
    trainer = Trainer(spec, split(corpus, 0))
    before = {name: p.detach().clone() for name, p in trainer.model.encoder.named_parameters()}
    assert train(trainer)
    assert all(not torch.equal(p, before[name]) for name, p in trainer.model.encoder.named_parameters())
    assert np.isfinite(trainer.progress.history).all()
    conflict = np.array(trainer.progress.conflict)
    assert np.isfinite(conflict[:-1]).all()
    unknown = {c for c, x in zip(trainer.probe_columns, conflict[-1], strict=True) if not np.isfinite(x)}
    assert unknown == {f"displacement_cos_{o}" for o in OBJECTIVES}


@pytest.mark.parametrize("modality", ["text", "audio", "visual"])
def test_a_unimodal_baseline_trains_the_same_whatever_the_other_modalities_are(
    modality: str, corpus: Conversations, make_trainer: Make
) -> None:
    noise = np.random.default_rng(0)
    others = {
        m: x if m == modality else noise.normal(size=x.shape).astype(np.float32) for m, x in corpus.features.items()
    }

    def trained(method: str, data: Conversations) -> dict[str, Any]:
        trainer = make_trainer(method, data=data)
        train(trainer)
        return everything(trainer)

    disturbed = replace(corpus, features=others)
    assert_same(trained(f"{modality}-only", corpus), trained(f"{modality}-only", disturbed))
    assert trained(modality, corpus)["history"] != trained(modality, disturbed)["history"]


def test_a_fusion_is_built_for_the_modalities_that_the_encoder_passes_on(make_spec: Callable[..., RunSpec]) -> None:
    refuse_unbuildable([make_spec(method) for method in ("text-only", "single-text/concat", "single-audio/spf+pgm")])
    refuse_unbuildable([make_spec(method) for method in ("pair-text-audio/css", "pair-audio-visual/audio")])
    with pytest.raises(UserError, match="AudioFusion: the inputs are text, visual, without audio"):
        refuse_unbuildable([make_spec("pair-text-visual/audio")])
    with pytest.raises(UserError, match="AudioFusion: the inputs are text, without audio"):
        refuse_unbuildable([make_spec("single-text/audio")])
