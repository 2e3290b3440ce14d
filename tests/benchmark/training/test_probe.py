from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmark.data.conversations import Conversations
from benchmark.data.splits import split
from benchmark.methods.registry import METHODS
from benchmark.training.batches import Batch, PackedData
from benchmark.training.gradients import objective_gradients
from benchmark.training.probe import DISPLACEMENT, columns, probe, probe_batch
from benchmark.training.trainer import Trainer, train
from css.interfaces import OBJECTIVES
from css.modulator import ParetoGradientModulator

Make = Callable[..., Trainer]


def snapshot(trainer: Trainer) -> dict[str, Tensor]:
    """Everything that a probe could disturb, copied."""
    state = {name: t.clone() for name, t in trainer.state().items()}
    for number, module in enumerate(trainer.model.modules()):
        state[f"training of module {number}"] = torch.tensor(module.training)
    for number, p in enumerate([trainer.parameters.flat, *trainer.parameters.all]):
        state[f"gradient {number}"] = torch.tensor([]) if p.grad is None else p.grad.clone()
        state[f"wanted {number}"] = torch.tensor(p.requires_grad)
    return state


def run_probe(trainer: Trainer) -> dict[str, float]:
    taken = probe(trainer.model, trainer.parameters, trainer.aggregator, trainer.probe_batch, trainer.objective)
    assert taken.row.dtype == torch.float64
    return dict(zip(columns(trainer.parameters.blocks), taken.row.tolist(), strict=True))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("training", [True, False])
def test_a_probe_leaves_everything_as_it_was(method: str, training: bool, make_trainer: Make) -> None:
    trainer = make_trainer(method)
    trainer.train_epoch()
    trainer.model.train(training)
    before = snapshot(trainer)
    first = run_probe(trainer)
    after = snapshot(trainer)

    assert before.keys() == after.keys()
    for name, value in before.items():
        assert torch.equal(value, after[name]), name
    assert run_probe(trainer) == pytest.approx(first, rel=0, abs=0, nan_ok=True)


REMEMBERING = (
    "gradvac",
    "uncertainty(rate=0.5)",
    "pgm-periodic(every=3)",
    "rlw",
    "dwa",
    "famo",
    "gradnorm",
    "gradvac(unit=true)",
)


@pytest.mark.parametrize("method", [*METHODS, *REMEMBERING])
def test_how_often_is_probed_does_not_change_the_training(method: str, make_trainer: Make) -> None:
    often, seldom = make_trainer(method, probe_every=1, epochs=3), make_trainer(method, probe_every=1000, epochs=3)
    train(often)
    train(seldom)

    a, b = often.state(), seldom.state()
    assert a.keys() == b.keys()
    for name, value in a.items():
        assert torch.equal(value, b[name]), name
    assert often.progress.history == seldom.progress.history
    assert often.counts()["masked_objectives"] == seldom.counts()["masked_objectives"]
    assert len(often.progress.conflict) > len(seldom.progress.conflict) == 2


def test_probes_are_taken_before_the_first_step_then_regularly_and_after_the_last(make_trainer: Make) -> None:
    trainer = make_trainer(probe_every=2, epochs=3, batch_size=3)  # 7 conversations of seed 0: 3 steps an epoch
    train(trainer)

    assert [tuple(row[:2]) for row in trainer.progress.conflict] == [(0, 1), (2, 1), (4, 2), (6, 3), (8, 3), (9, 3)]
    assert trainer.counts()["probe_backward_passes"] == 3 * 6
    assert {len(row) for row in trainer.progress.conflict} == {len(trainer.probe_columns)}


def names(batch_of: Tensor, data: Conversations) -> list[str]:
    """Which conversations a batch holds, told by their first text rows."""
    rows = [data.features["text"][o].tolist() for o in data.offsets[:-1]]
    first = torch.cumsum(batch_of.lengths, 0) - batch_of.lengths
    return [data.ids[rows.index(batch_of.features["text"][int(r)].tolist())] for r in first]


def test_the_probed_conversations_are_fixed_and_of_the_training_part(corpus: Conversations) -> None:
    chosen = {}
    for seed in range(4):
        data = split(corpus, seed).train
        chosen[seed] = names(probe_batch(PackedData(data, "cpu"), 3), data)
        assert len(set(chosen[seed])) == 3
        assert not set(chosen[seed]) & set(split(corpus, seed).validation.ids)
        assert not set(chosen[seed]) & set(corpus.where("test").ids)
    assert chosen[0] == chosen[2]  # the same session held out, the same conversations
    assert chosen[1] == chosen[3]


def test_the_probed_conversations_depend_on_names_alone(corpus: Conversations) -> None:
    train_part = corpus.where("train")
    shuffled = train_part.select(list(reversed(range(len(train_part)))))

    def chosen(data: Conversations, n: int = 4) -> set[str]:
        return set(names(probe_batch(PackedData(data, "cpu"), n), data))

    assert chosen(train_part) == chosen(shuffled)
    assert chosen(train_part, 3) < chosen(train_part, 4)
    assert chosen(train_part) != set(train_part.ids[:4])
    assert chosen(train_part, 99) == set(train_part.ids)


def test_every_method_probes_the_same_conversations_whatever_has_been_trained(make_trainer: Make) -> None:
    batches = []
    for method in METHODS:
        trainer = make_trainer(method)
        batches.append(trainer.probe_batch)
        before = trainer.probe_batch.features["text"].clone()
        trainer.train_epoch()
        assert torch.equal(trainer.probe_batch.features["text"], before)
    for batch in batches:
        assert torch.equal(batch.features["text"], batches[0].features["text"])


@pytest.mark.parametrize("method", METHODS)
def test_columns_are_what_the_gradients_say(method: str, make_trainer: Make) -> None:
    trainer = make_trainer(method)
    trainer.train_epoch()
    found = run_probe(trainer)

    trainer.model.eval()
    gradients = objective_gradients(trainer.model, trainer.parameters, trainer.probe_batch, trainer.objective)
    g = gradients.shared.double()
    norm = g.norm(dim=1)
    pareto = ParetoGradientModulator()(g @ g.T)
    if trainer.aggregator.needs_gramian:
        own = trainer.aggregator(g @ g.T, gradients.losses.double())
    else:
        own = torch.full((3,), 1 / 3, dtype=torch.float64)
    d = own @ g
    expected = {f"norm_{o}": norm[i] for i, o in enumerate(OBJECTIVES)}
    expected |= {
        f"cos_{OBJECTIVES[i]}_{OBJECTIVES[j]}": g[i] @ g[j] / norm[i] / norm[j]
        for i in range(3)
        for j in range(i + 1, 3)
    }
    expected |= {f"update_cos_{o}": g[i] @ d / norm[i] / d.norm() for i, o in enumerate(OBJECTIVES)}
    assert {name: found[name] for name in expected} == pytest.approx(
        {name: float(x) for name, x in expected.items()}, rel=1e-9, abs=1e-9
    )
    assert [found[f"weight_{o}"] for o in OBJECTIVES] == pytest.approx(pareto.tolist(), abs=1e-9)
    assert [found[f"loss_{o}"] for o in OBJECTIVES] == pytest.approx(gradients.losses.tolist())
    others = {f"{what}_{o}" for what in ("weight", "loss") for o in OBJECTIVES}
    assert {name for name in found if "." not in name} == {*expected, *others}


BLOCKS = ("inputs", "modality_aware", "interaction_aware", "reduction")
ENCODER_BLOCKS = {
    "paper": BLOCKS,
    "paper(theta_speakers=true)": ("inputs", "speaker", *BLOCKS[1:]),
    "released": (*BLOCKS[:3], "own_gate", "cross_gate", "reduction"),
    "released(meld_step=true)": ("inputs", "text_shift", *BLOCKS[1:3], "own_gate", "cross_gate", "reduction"),
    "identity": ("inputs",),
}


@pytest.mark.parametrize(("encoder", "blocks"), ENCODER_BLOCKS.items())
def test_every_block_of_theta_has_its_own_cosines_and_norms(
    encoder: str, blocks: tuple[str, ...], make_trainer: Make
) -> None:
    trainer = make_trainer(f"{encoder}/css")
    trainer.train_epoch()
    found = run_probe(trainer)
    assert tuple(trainer.parameters.blocks) == blocks
    assert {name.partition(".")[0] for name in found if "." in name} == set(blocks)

    trainer.model.eval()
    batch, encoder_ = trainer.probe_batch, trainer.model.encoder
    losses = trainer.objective(trainer.model(batch.features, batch.speakers, batch.lengths), batch)
    for block in blocks:
        theta = [p for name, p in encoder_.named_parameters() if name.startswith(f"{block}.")]
        gradients = [torch.autograd.grad(x, theta, retain_graph=True, materialize_grads=True) for x in losses]
        g = torch.stack([torch.cat([part.flatten() for part in of]) for of in gradients]).double()
        assert [found[f"{block}.norm_{o}"] for o in OBJECTIVES] == pytest.approx(g.norm(dim=1).tolist(), rel=1e-4)
        for i in range(3):
            for j in range(i + 1, 3):
                expected = float(torch.cosine_similarity(g[i], g[j], dim=0))
                assert found[f"{block}.cos_{OBJECTIVES[i]}_{OBJECTIVES[j]}"] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("encoder", ENCODER_BLOCKS)
def test_gramians_of_the_blocks_sum_to_that_of_theta(encoder: str, make_trainer: Make) -> None:
    trainer = make_trainer(f"{encoder}/css")
    found = objective_gradients(trainer.model, trainer.parameters, trainer.probe_batch, trainer.objective)
    J = found.shared.double()

    assert sum(trainer.parameters.blocks.values()) == J.shape[1]
    gramians = trainer.parameters.gramians(J)
    assert gramians.shape == (len(ENCODER_BLOCKS[encoder]), 3, 3)
    torch.testing.assert_close(gramians.sum(0), J @ J.T, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("method", ["adam", "css", "pcgrad"])
def test_displacement_is_what_the_optimiser_really_did_to_theta(method: str, make_trainer: Make) -> None:
    """Against copies of θ around every step of a run with momentum and weight decay, and gradients taken anew."""
    watched = make_trainer(method, probe_every=1, weight_decay=0.1)
    step, seen = watched._step, []

    def theta() -> Tensor:
        return torch.cat([p.detach().flatten() for p in watched.model.encoder.shared_parameters().values()]).double()

    def watching(batch: Batch) -> Tensor:
        masks = watched.dropout.get_state()
        watched.model.eval()
        probed = watched.probe_batch
        losses = watched.objective(watched.model(probed.features, probed.speakers, probed.lengths), probed)
        watched.model.train()
        shared = list(watched.model.encoder.shared_parameters().values())
        gradients = [torch.autograd.grad(x, shared, retain_graph=True, materialize_grads=True) for x in losses]
        assert torch.equal(watched.dropout.get_state(), masks)
        before = theta()
        row = step(batch)
        down = before - theta()
        flat = [torch.cat([part.flatten() for part in of]).double() for of in gradients]
        seen.append([float(torch.cosine_similarity(down, g, dim=0)) for g in flat])
        return row

    watched._step = watching  # type: ignore[method-assign]
    train(watched)

    first = watched.probe_columns.index(DISPLACEMENT[0])
    recorded = [row[first : first + 3] for row in watched.progress.conflict]
    assert np.isnan(recorded.pop()).all()  # no step follows the last probe
    np.testing.assert_allclose(recorded, seen, atol=1e-4)
    assert len(recorded) == watched.counts()["steps"]
    assert np.ptp(seen, axis=0).min() > 0.01


def test_where_theta_stands_still_its_displacement_has_no_angle(make_trainer: Make) -> None:
    trainer = make_trainer("css")
    taken = trainer._probe()
    assert taken.displacement_cosines(trainer.parameters).isnan().all()


def test_pgm_and_the_probe_agree_on_weights(make_trainer: Make) -> None:
    trainer = make_trainer("css")
    found = run_probe(trainer)
    gamma = torch.tensor([found[f"weight_{o}"] for o in OBJECTIVES])

    assert gamma.sum() == pytest.approx(1)
    assert (gamma >= 0).all()
    assert (gamma - 1 / 3).abs().max() > 1e-3


def test_an_objective_that_vanishes_has_no_angle_and_no_weight_and_is_not_counted(make_trainer: Make) -> None:
    trainer = make_trainer("css")
    objective = trainer.objective

    class WithoutDistillation(type(objective)):  # type: ignore[misc]
        def __call__(self, *arguments: object) -> tuple[Tensor, ...]:
            fused, unimodal, distillation = super().__call__(*arguments)
            return fused, unimodal, 0 * distillation

    trainer.objective = WithoutDistillation(objective.temperature, objective.class_weights)
    found = run_probe(trainer)

    assert found["norm_distillation"] == found["weight_distillation"] == 0
    undefined = {name for name, value in found.items() if value != value}
    assert {name for name in undefined if "." not in name} == {
        "cos_fused_distillation",
        "cos_unimodal_distillation",
        "update_cos_distillation",
    }
    assert trainer.counts()["masked_objectives"] == dict.fromkeys(OBJECTIVES, 0)
