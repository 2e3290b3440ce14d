"""What a run is: frozen, validated, hashable. The key of a run is the hash of its canonical form."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from benchmark.base.fingerprints import json_fingerprint
from benchmark.base.values import Frozen, NonNegative, Positive
from benchmark.data.folds import Fold
from benchmark.data.inputs import DEFAULT_INPUTS, Inputs
from benchmark.experiment.provenance import Provenance
from benchmark.methods.parsing import identifying
from benchmark.methods.parts import Method

Protocol = Literal["validated", "published", "refit", "sessions"]
Selection = Literal["best", "smoothed", "last"]
"""How validation scores choose the epoch that counts: the best, the best median of five, or none but the last."""


class Training(Frozen):
    """Everything else that decides a run's numbers.

    Attributes:
        hidden, heads, dropout: of the encoder; hidden is a multiple of heads.
        epochs: the whole budget; which epoch counts is the protocol's to say, and with validation data ``selection``'s.
        selection: the rule that chooses the epoch on validation data (:mod:`benchmark.training.selection`).
        batch_size: conversations in a batch.
        lr, weight_decay: of Adam, whose weight decay is coupled (L2), as published.
        temperature: T of the distillation objective.
        class_weights: weight L1 and L2 by the inverse frequency of the classes in the run's training data.
        standardize: shift and scale every input feature to mean 0, sd 1 over the run's training data.
        schedule, warmup: how the learning rate goes (:mod:`benchmark.training.schedule`), and over what share of the
            steps it rises; ``warmup-cosine`` has to say that, be it 0.
        clip_norm: the update direction is shortened to this norm, over all parameters, where it is longer; 0: never.
        probe_every: steps between two probes of gradient conflict.
        probe_conversations: training conversations in the probe.
    """

    hidden: Positive
    heads: Positive
    dropout: Annotated[float, Field(ge=0, lt=1)]
    epochs: Positive
    batch_size: Positive
    lr: Annotated[float, Field(gt=0)]
    weight_decay: NonNegative
    temperature: Annotated[float, Field(gt=0)]
    class_weights: bool
    standardize: bool
    probe_every: Positive
    probe_conversations: Positive
    schedule: Literal["constant", "warmup-cosine"] = "constant"
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.0
    clip_norm: NonNegative = 0.0
    selection: Selection = "best"

    @model_validator(mode="after")
    def _heads_divide_hidden(self) -> "Training":
        if self.hidden % self.heads:
            raise ValueError(f"hidden must be a multiple of heads ({self.heads}), got {self.hidden}")
        return self

    @model_validator(mode="after")
    def _warmup_goes_with_its_schedule(self) -> "Training":
        if self.schedule == "constant" and self.warmup:
            raise ValueError(f"warmup goes with schedule warmup-cosine: choose that, or warmup 0, got {self.warmup}")
        if self.schedule != "constant" and "warmup" not in self.model_fields_set:
            raise ValueError(f"schedule {self.schedule} needs warmup, a share of the steps: 0.1, or 0 for none")
        return self

    @staticmethod
    def identifying(values: Mapping[str, Any]) -> dict[str, Any]:
        """These settings without those at a default: runs that are older than such a setting keep their keys."""
        fields = Training.model_fields
        return {n: value for n, value in values.items() if n not in fields or fields[n].default != value}


class RefitOf(Frozen):
    """The validated runs whose selected epochs made a refit's budget.

    Attributes:
        group, budget: theirs.
        epochs: the epoch that each selected, by the run's key.
    """

    group: str
    budget: str
    epochs: Annotated[dict[str, Positive], Field(min_length=1)]

    @property
    def mean(self) -> float:
        """Mean selected epoch."""
        return sum(self.epochs.values()) / len(self.epochs)


class Untuned(Frozen):
    """The training settings of a preset that tuning may replace."""

    lr: float
    dropout: float
    temperature: float
    weight_decay: float


class Tuned(Frozen):
    """Where a run's settings come from that are the best of a study (``cssbench tune``), not the preset's.

    Attributes:
        study: its name.
        base: what the preset says instead.
    """

    study: str
    base: Untuned


class RunSpec(Frozen):
    """One run: a method trained on a data set with a seed under a budget.

    The protocol says what is trained on and which epoch counts. ``validated``: some training data are held out, and
    the epoch counts that the rule ``training.selection`` chooses on them. ``refit``: everything but the test set, for
    the mean selected epoch of the validated runs in ``refit_of``; the last epoch counts. ``published``: the same data,
    and no epoch counts, since the published protocol takes the best one on the test set. ``sessions``: as
    ``validated``, with the sessions of ``fold`` as validation and test set in the place of the published split.
    """

    dataset: str
    inputs: Inputs = DEFAULT_INPUTS
    method: Method
    seed: Annotated[int, Field(ge=0)]
    preset: str
    training: Training
    provenance: Provenance
    protocol: Protocol = "validated"
    refit_of: RefitOf | None = None
    tuned: Tuned | None = None
    fold: Fold | None = None

    @model_validator(mode="after")
    def _a_refit_names_its_runs(self) -> "RunSpec":
        if (self.protocol == "refit") != (self.refit_of is not None):
            raise ValueError("refit_of goes with protocol refit, and with no other")
        return self

    @model_validator(mode="after")
    def _a_fold_goes_with_its_protocol(self) -> "RunSpec":
        if (self.protocol == "sessions") != (self.fold is not None):
            raise ValueError("fold goes with protocol sessions, and with no other")
        return self

    @property
    def validates(self) -> bool:
        """Whether some training data are held out, which select the epoch."""
        return self.protocol in ("validated", "sessions")

    @property
    def key(self) -> str:
        """Name of the run's folder. Labels (preset, alias) are not in it: no alias trains twice."""
        return _digest(self._canonical())

    @property
    def group(self) -> str:
        """A digest that runs share which differ by seed (and fold) alone: these may be averaged."""
        return _digest(self._canonical(without=("seed", "fold")))

    @property
    def budget(self) -> str:
        """A digest that runs share which differ by seed (and fold) and method alone: these may be compared.

        What was tuned belongs to the method, so that tuned and default settings may be compared. Refits of different
        methods have different epochs: they may be compared where what they were made from may.
        """
        if self.refit_of:
            return _digest({"protocol": self.protocol, "refit_of": self.refit_of.budget})
        form = self._canonical(without=("seed", "fold", *self.method.components))
        if self.tuned:
            form["training"] |= self.tuned.base.model_dump()
        return _digest(form)

    def _canonical(self, without: tuple[str, ...] = ()) -> dict[str, Any]:
        form = {
            "dataset": self.dataset,
            "seed": self.seed,
            **identifying(self.method),
            "training": Training.identifying(self.training.model_dump()),
            "provenance": self.provenance.model_dump(),
        }
        if self.inputs != DEFAULT_INPUTS:  # named only where they matter
            form["inputs"] = self.inputs.model_dump(exclude=None if self.inputs.remedies else {"remedies"})
        if self.protocol != "validated":
            form["protocol"] = self.protocol
        if self.refit_of:  # not by which seeds: where they agree on the epochs, the runs are the same
            form["refit_of"] = self.refit_of.group
        if self.fold:
            form["fold"] = self.fold.model_dump(mode="json")
        return {name: value for name, value in form.items() if name not in without}

    def record(self) -> dict[str, Any]:
        """The content of ``spec.json`` (docs/run-format.md)."""
        return {
            "format": 1,
            "key": self.key,
            "group": self.group,
            "budget": self.budget,
            "dataset": self.dataset,
            "inputs": self.inputs.model_dump(mode="json"),
            "method": self.method.canonical,
            "label": self.method.label,
            "seed": self.seed,
            "preset": self.preset,
            "protocol": self.protocol,
            "refit_of": self.refit_of and self.refit_of.model_dump() | {"mean": self.refit_of.mean},
            "tuned": self.tuned and self.tuned.model_dump(),
            "fold": self.fold and self.fold.model_dump(mode="json"),
            **self.method.components,
            "training": self.training.model_dump(),
            "provenance": self.provenance.model_dump(),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "RunSpec":
        """The specification that :meth:`record` gave; raises ValueError where it gives another key."""
        method = {n: record[n] for n in Method.model_fields if n in record} | {"canonical": record["method"]}
        origin = record.get("refit_of") and {n: record["refit_of"][n] for n in RefitOf.model_fields}
        given = {n: record[n] for n in cls.model_fields if n in record}
        spec = cls(**given | {"method": method, "refit_of": origin})
        if spec.key != record["key"]:
            raise ValueError(f"its key is {spec.key}, not {record['key']}")
        return spec


def _digest(form: dict[str, Any]) -> str:
    return json_fingerprint(form)[:16]
