"""A run's specification to its model, aggregator and objectives, every part initialised from its own seed."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch

from benchmark.base.errors import UserError
from benchmark.data.conversations import Conversations
from benchmark.experiment.spec import RunSpec
from benchmark.methods.entries import Entry
from benchmark.methods.parts import Component, Method
from benchmark.methods.plugins import load_class
from benchmark.methods.registry import AGGREGATORS, ENCODERS, FUSIONS, OBJECTIVES
from benchmark.training.gradients import Objectives
from benchmark.training.seeding import derive, generator, seeded
from css.interfaces import OBJECTIVES as OBJECTIVE_NAMES
from css.interfaces import Aggregator
from css.model import EmotionClassifier


def build_model(spec: RunSpec, data: Conversations, device: str) -> tuple[EmotionClassifier, torch.Generator]:
    """The model of a run on ``device``, and the generator its dropout draws from.

    Encoder, fusion and classifiers are initialised under separate seeds, so that methods which differ in one part start
    from the same others, and see the same dropout masks.
    """
    settings = spec.training
    inputs = {m: x.shape[1] for m, x in data.features.items()}
    dropout = generator(spec.seed, "dropout", device=device)
    with seeded(spec.seed, "encoder"):
        encoder = ENCODERS[spec.method.encoder.name].load()(
            inputs,
            settings.hidden,
            settings.heads,
            settings.dropout,
            data.speakers,
            dropout,
            **spec.method.encoder.options,
        )
    with seeded(spec.seed, "fusion"):
        fusion = _factory(spec.method.fusion, FUSIONS)(
            settings.hidden, modalities=encoder.modalities, **spec.method.fusion.options
        )
    with seeded(spec.seed, "classifiers"):
        model = EmotionClassifier(encoder, fusion, len(data.class_names), settings.dropout, dropout)
    return model.to(device), dropout


def build_aggregator(spec: RunSpec, device: str) -> Aggregator:
    """The aggregator of a run; one that draws gets the run's own seed."""
    aggregator: Aggregator = _factory(spec.method.aggregator, AGGREGATORS)(**spec.method.aggregator.options)
    if (generator := getattr(aggregator, "generator", None)) is not None:
        generator.manual_seed(derive(spec.seed, "aggregator"))
    return aggregator.to(device)


def build_objectives(spec: RunSpec, data: Conversations, device: str) -> Objectives:
    """The objectives of a run; class weights are the inverse class frequencies [C] in its training data."""
    class_weights = None
    if spec.training.class_weights:
        assert data.label is not None
        count = np.bincount(data.label, minlength=len(data.class_names))
        class_weights = torch.from_numpy(len(data.label) / np.maximum(count, 1)).float().to(device)
    method = spec.method.objectives
    function = partial(OBJECTIVES[method.name].load(), **method.options)
    return Objectives(
        spec.training.temperature,
        class_weights,
        function=function,
        names=objective_names(spec.method),
        t_squared=bool(method.options.get("t_squared", False)),
    )


def objective_names(method: Method) -> tuple[str, ...]:
    """Those of :data:`css.interfaces.OBJECTIVES` that a method trains on: it leaves one out by its name."""
    return tuple(name for name in OBJECTIVE_NAMES if method.objectives.options.get(name, True))


def refuse_unbuildable(specs: Iterable[RunSpec]) -> None:
    """Raise UserError for a method that its own factory turns down, before a worker meets it. Nothing is allocated."""
    for spec in specs:
        fusion = spec.method.fusion
        try:
            with torch.device("meta"):
                built = _factory(fusion, FUSIONS)(
                    spec.training.hidden, modalities=encoded_modalities(spec), **fusion.options
                )
                torch.nn.Linear(built.out_features, 1)
            build_aggregator(spec, "cpu")
        except ValueError as error:
            raise UserError(str(error)) from error
        except Exception as error:
            if not (fusion.plugin or spec.method.aggregator.plugin):
                raise
            raise UserError(f"{spec.method.label} cannot be built: {type(error).__name__}: {error}") from error


def encoded_modalities(spec: RunSpec) -> tuple[str, ...]:
    """The modalities that reach the fusion of a run."""
    return ENCODERS[spec.method.encoder.name].sees or spec.inputs.modalities


def _factory(component: Component, known: Mapping[str, Entry]) -> Callable[..., Any]:
    """What builds the component; a worker process knows a plug-in from the specification alone."""
    return known[component.name].load() if component.plugin is None else load_class(component.plugin.factory)[0]


def parameter_counts(model: EmotionClassifier) -> dict[str, int]:
    """Trainable parameters of the model and of its parts."""
    parts = {
        "encoder": model.encoder,
        "fusion": model.fusion,
        "classifiers": torch.nn.ModuleList([model.classifier, model.unimodal]),
    }
    counts = {name: sum(p.numel() for p in part.parameters()) for name, part in parts.items()}
    return {"total": sum(counts.values())} | counts
