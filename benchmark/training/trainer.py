"""One run: train the whole budget, predict the test set after every epoch, never see a test label."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from benchmark.base.errors import UserError
from benchmark.data.splits import RunData
from benchmark.experiment.spec import RunSpec, Selection
from benchmark.training.batches import Batch, PackedData, Standardizer
from benchmark.training.building import build_aggregator, build_model, build_objectives, parameter_counts
from benchmark.training.gradients import TERMS, Parameters, combine, cosines, norms, objective_gradients
from benchmark.training.prediction import SCORES, predict, validation_scores
from benchmark.training.probe import COSINES, DISPLACEMENT, NORMS, Probe, columns, probe, probe_batch
from benchmark.training.schedule import learning_rate
from benchmark.training.seeding import derive
from benchmark.training.selection import candidates, selected_epoch
from benchmark.training.weights import copied
from css.interfaces import OBJECTIVES

STEP_COLUMNS = (
    *(f"loss_{o}" for o in OBJECTIVES),
    "gradient_norm",
    "skipped",
    *(f"weight_{o}" for o in OBJECTIVES),
    *NORMS,
    *COSINES,
)
"""The columns of every run; after them come the cosines by block of θ."""
HISTORY_COLUMNS = (
    *(f"train_loss_{o}" for o in OBJECTIVES),
    "train_total",
    *(f"train_loss_{term}" for term in TERMS),
    *SCORES,
    "finite",
)
"""The last is 1 where every logit on validation and test data is finite; else it is 0, and the scores are NaN."""


@dataclass(frozen=True)
class Kept:
    """What is kept of an epoch that may be the selected one.

    Attributes:
        probabilities: of the test utterances [N, C].
        weights: the model's parameters and buffers by name, on the CPU.
    """

    probabilities: Tensor
    weights: dict[str, Tensor]


@dataclass
class Progress:
    """What a run has recorded so far; with the model, optimiser and generators it is all that a checkpoint holds.

    Attributes:
        steps: one float64 array [steps, columns] an epoch; columns are the trainer's ``step_columns``.
        history: a row of :data:`HISTORY_COLUMNS` an epoch.
        conflict: a row of the trainer's ``probe_columns`` a probe.
        test_predictions: predicted class of every test utterance, uint8 [N], an epoch.
        kept: by epoch, of those that may be the selected one; without validation, of the last.
        seconds: spent on training, evaluation and probes.
        selection: the rule that selects the epoch.
    """

    steps: list[npt.NDArray[np.float64]] = field(default_factory=list)
    history: list[list[float]] = field(default_factory=list)
    conflict: list[list[float]] = field(default_factory=list)
    test_predictions: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    kept: dict[int, Kept] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=lambda: {"train": 0.0, "evaluate": 0.0, "probe": 0.0})
    selection: Selection = "best"

    @property
    def epoch(self) -> int:
        """Finished epochs."""
        return len(self.history)

    @property
    def selected(self) -> int | None:
        """The epoch (from 1) that the rule selects from validation weighted F1, were this the last one.

        An epoch with logits that are not finite has no such score. None without validation, or without a score.
        """
        return selected_epoch(self.selection, self.column("validation_weighted_f1"))

    @property
    def probabilities(self) -> Tensor | None:
        """Class probabilities of the test utterances [N, C] at the selected epoch; without one, at the last."""
        counted = self.selected or self.epoch
        return self.kept[counted].probabilities if counted else None

    @property
    def weights(self) -> dict[str, Tensor]:
        """The model's parameters and buffers at the same epoch."""
        return self.kept[self.selected or self.epoch].weights

    def keep(self, probabilities: Tensor, model: nn.Module) -> None:
        """Keep these of the last epoch where it may be the selected one, and nothing of those that no longer may."""
        chosen = candidates(self.selection, self.column("validation_weighted_f1"))
        self.kept = {epoch: kept for epoch, kept in self.kept.items() if epoch in chosen}
        if self.epoch in chosen:
            self.kept[self.epoch] = Kept(probabilities, copied(model))

    @property
    def best(self) -> float:
        """The best validation weighted F1 so far; NaN where there is none."""
        return max((x for x in self.column("validation_weighted_f1") if not math.isnan(x)), default=math.nan)

    def column(self, name: str) -> list[float]:
        """One of :data:`HISTORY_COLUMNS` by epoch."""
        return [row[HISTORY_COLUMNS.index(name)] for row in self.history]

    def latest(self) -> dict[str, float]:
        """The last epoch's row of the history by name."""
        return dict(zip(HISTORY_COLUMNS, self.history[-1], strict=True))


class Trainer:
    """A run in progress: model, optimiser, aggregator, data, records; :meth:`train_epoch` advances it by one epoch."""

    def __init__(self, spec: RunSpec, data: RunData, device: str = "cpu") -> None:
        settings = spec.training
        standardizer = Standardizer.fit(data.train) if settings.standardize else None
        assert (data.validation is not None) == spec.validates, "the split is of another protocol"
        assert data.test.label is None, "training is not to see test labels"
        self.spec = spec
        self.train_data = PackedData(data.train, device, standardizer)
        self.validation_data = PackedData(data.validation, device, standardizer) if data.validation else None
        self.validation_label = data.validation.label if data.validation else None
        self.test_data = PackedData(data.test, device, standardizer)
        self.model, self.dropout = build_model(spec, data.train, device)
        self.aggregator = build_aggregator(spec, device)
        self.parameters = Parameters(self.model)
        blocks = self.parameters.blocks
        self.step_columns = (*STEP_COLUMNS, *(f"{block}.{name}" for block in blocks for name in COSINES))
        self.probe_columns = ("step", "epoch", *columns(blocks), *DISPLACEMENT)
        self.optimizer = torch.optim.Adam(
            [self.parameters.flat], lr=settings.lr, weight_decay=settings.weight_decay, fused=True
        )
        self.objective = build_objectives(spec, data.train, device)
        self.probe_batch = probe_batch(self.train_data, settings.probe_conversations)
        self.progress = Progress(selection=settings.selection)
        self.terms: list[Tensor] = []  # of the epoch's steps so far, on the device
        # What a fusion draws in training comes from torch's global generator: it is this run's from here on.
        torch.manual_seed(derive(spec.seed, "fusion dropout"))

    @property
    def finished(self) -> bool:
        """Whether the whole budget has been trained."""
        return self.progress.epoch >= self.spec.training.epochs

    def train_epoch(self) -> dict[str, float]:
        """Train one epoch, predict validation data (if any) and test, and return the epoch's row of the history."""
        progress, settings = self.progress, self.spec.training
        epoch = progress.epoch + 1
        step = sum(map(len, progress.steps))
        budget = settings.epochs * self.train_data.batches(settings.batch_size)
        rows = []
        self.terms = []
        start = time.perf_counter()
        probing = 0.0
        for batch in self.train_data.epoch(settings.batch_size, self.spec.seed, epoch):
            self.optimizer.param_groups[0]["lr"] = learning_rate(settings, step, budget)
            if step % settings.probe_every == 0:
                row, seconds = self._probed_step(batch, step, epoch)
                probing += seconds
            else:
                row = self._step(batch)
            rows.append(row)
            step += 1
        self.aggregator.end_epoch()
        if epoch == settings.epochs:
            before = time.perf_counter()
            self._record(self._probe(), step, epoch, torch.full((len(self.objective.names),), torch.nan))
            probing += time.perf_counter() - before
        steps = torch.stack(rows).double().cpu().numpy()
        terms = torch.stack(self.terms).double().mean(0)
        trained = time.perf_counter()
        scores = self._validate()
        test = predict(self.model, self.test_data)
        finite = scores is not None and bool(test.isfinite().all())
        if scores is None or not finite:
            scores = dict.fromkeys(SCORES, math.nan)

        losses = steps[:, : len(OBJECTIVES)].mean(axis=0)
        total = losses[[OBJECTIVES.index(name) for name in self.objective.names]].sum()
        progress.steps.append(steps)
        progress.test_predictions.append(test.argmax(-1).to(torch.uint8).numpy())
        progress.history.append([*losses.tolist(), float(total), *terms.tolist(), *scores.values(), float(finite)])
        progress.keep(test, self.model)
        progress.seconds["train"] += trained - start - probing
        progress.seconds["probe"] += probing
        progress.seconds["evaluate"] += time.perf_counter() - trained
        return progress.latest()

    def _validate(self) -> dict[str, float] | None:
        """Scores on validation data, NaN without any; None where a logit is not finite."""
        if self.validation_data is None or self.validation_label is None:
            return dict.fromkeys(SCORES, math.nan)
        probabilities = predict(self.model, self.validation_data)
        return validation_scores(probabilities, self.validation_label) if probabilities.isfinite().all() else None

    def refuse_without_result(self) -> None:
        """Raise UserError where the epoch that counts has logits that are not finite: no number can stand for the run.

        With validation data that is where all epochs have; without, where the last one has.
        """
        finite = self.progress.column("finite")
        if not (any(finite) if self.validation_data else finite[-1]):
            which = "any epoch" if self.validation_data else "the last epoch, which counts"
            raise UserError(
                f"{self.spec.method.label} (seed {self.spec.seed}) diverged: logits are not finite after {which}, so "
                "it has no result; lower its learning rate, or leave it out"
            )

    def _step(self, batch: Batch) -> Tensor:
        """Update the parameters once; returns the step's row of ``step_columns``, still on the device."""
        aggregator, by_name, by_pair = self.aggregator, self.objective.by_name, self.objective.by_pair
        flat = self.parameters.flat
        if aggregator.needs_gramian:
            gradients = objective_gradients(self.model, self.parameters, batch, self.objective)
            losses, logits = gradients.losses, gradients.logits
            gramians = self.parameters.gramians(gradients.shared)
            gramian = gramians.sum(0)
            weights = aggregator(gramian, losses)
            flat.grad = combine(gradients, weights, aggregator.weights_everything)
            blocks = by_pair(cosines(gramians)).flatten()
            conflict = torch.cat([by_name(norms(gramian)), by_pair(cosines(gramian)), blocks])
        else:
            logits = self.model(batch.features, batch.speakers, batch.lengths)
            objectives = torch.stack(self.objective(logits, batch))
            losses = objectives.detach()
            weights = aggregator(None, losses)
            flat.grad = self.parameters.gradient(weights @ objectives)
            known = STEP_COLUMNS.index(NORMS[0])
            conflict = losses.new_full((len(self.step_columns) - known,), torch.nan)
        if logits is not None:
            self.terms.append(self.objective.terms(logits, batch))
        norm = torch.linalg.vector_norm(flat.grad)
        if clip := self.spec.training.clip_norm:
            torch.nn.utils.clip_grads_with_norm_(flat, clip, norm)  # what clip_grad_norm_ does with it
        skipped = (weights.sum() == 0).to(losses.dtype)
        self.optimizer.found_inf = skipped  # type: ignore[attr-defined]  # a fused step is skipped without a host sync
        self.optimizer.step()
        return torch.cat([by_name(losses), norm[None], skipped[None], by_name(weights), conflict])

    def _probed_step(self, batch: Batch, step: int, epoch: int) -> tuple[Tensor, float]:
        """A step with a probe around it; the step's row, and the seconds that the probe took."""
        start = time.perf_counter()
        probe = self._probe()
        probed = time.perf_counter()
        row = self._step(batch)
        stepped = time.perf_counter()
        self._record(probe, step, epoch, probe.displacement_cosines(self.parameters))
        return row, probed - start + time.perf_counter() - stepped

    def _probe(self) -> Probe:
        return probe(self.model, self.parameters, self.aggregator, self.probe_batch, self.objective)

    def _record(self, probe: Probe, step: int, epoch: int, displacement: Tensor) -> None:
        moved = self.objective.by_name(displacement)
        self.progress.conflict.append([step, epoch, *probe.row.tolist(), *moved.tolist()])

    def state(self) -> dict[str, Tensor]:
        """Every tensor that decides how the run goes on: weights, optimiser, aggregator, generators."""
        tensors = {f"model.{name}": t for name, t in self.model.state_dict().items()}
        tensors |= {f"aggregator.{name}": t for name, t in self.aggregator.state_dict().items()}
        for number, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": t for name, t in moments.items()}
        return tensors | {"generator.dropout": self.dropout.get_state(), "generator.global": torch.get_rng_state()}

    def load_state(self, tensors: dict[str, Tensor]) -> None:
        """Put back what :meth:`state` returned."""
        part = {
            prefix: {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
            for prefix in ("model.", "aggregator.", "optimizer.")
        }
        self.model.load_state_dict(part["model."])
        self.aggregator.load_state_dict(part["aggregator."])
        moments: dict[int, dict[str, Tensor]] = {}
        for name, t in part["optimizer."].items():
            number, field_name = name.split(".", 1)
            moments.setdefault(int(number), {})[field_name] = t
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        self.dropout.set_state(tensors["generator.dropout"])
        torch.set_rng_state(tensors["generator.global"])

    def counts(self) -> dict[str, object]:
        """What the run cost: parameters, passes, and what PGM masked or skipped."""
        steps, probes = sum(map(len, self.progress.steps)), len(self.progress.conflict)
        names = self.objective.names
        masked = getattr(self.aggregator, "masked", torch.zeros(len(names), dtype=torch.int64))
        every, needs_gramian = self.aggregator.every, self.aggregator.needs_gramian
        solved = -(-steps // every) if needs_gramian or every > 1 else 0
        return {
            "steps": steps,
            "skipped_steps": int(sum(rows[:, STEP_COLUMNS.index("skipped")].sum() for rows in self.progress.steps)),
            "masked_objectives": dict.fromkeys(OBJECTIVES) | dict(zip(names, masked.tolist(), strict=True)),
            "backward_passes": steps + solved * (len(names) - 1),
            "probe_backward_passes": probes * len(names),
            "parameters": parameter_counts(self.model),
        }


def train(
    trainer: Trainer, on_epoch: Callable[[Trainer], None] = lambda _: None, stop: Callable[[], bool] = lambda: False
) -> bool:
    """Train until the budget is used (True) or ``stop`` says so after an epoch (False).

    Raises UserError where the budget is used and no epoch has a result.
    """
    while not trainer.finished:
        trainer.train_epoch()
        on_epoch(trainer)
        if stop() and not trainer.finished:
            return False
    trainer.refuse_without_result()
    return True
