"""What a run is going to cost here, from a few of its own steps that are timed on the device."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from benchmark.data.splits import RunData
from benchmark.execution.memory import peak_memory, reset_peak_memory
from benchmark.experiment.spec import RunSpec
from benchmark.training.batches import Batch
from benchmark.training.trainer import Trainer

STEPS_SECONDS = 2.0
"""How long steps are timed, in seconds; one is timed however long it takes."""


@dataclass(frozen=True)
class Cost:
    """What one run takes.

    Attributes:
        flops: of its matrix products, over the whole budget: steps, probes and predictions; a multiply-add is two.
        rate: flops a second that its steps reach.
        epoch: seconds of an epoch, predictions and probes included.
        seconds: of the whole run, without starting it and writing its files.
        memory: peak bytes, of the process on a CPU, of the device's memory on CUDA.
    """

    flops: float
    rate: float
    epoch: float
    seconds: float
    memory: int


def measure(spec: RunSpec, data: RunData) -> Cost:
    """Build the run, time steps, one probe and one prediction of real batches, and scale them to its whole budget.

    Steps and predictions scale with their utterances. A first step is not timed.
    """
    device, settings = spec.provenance.device, spec.training
    reset_peak_memory(device)
    trainer = Trainer(spec, data, device)
    batches = cycle(trainer.train_data.epoch(settings.batch_size, spec.seed, 1))
    first = next(batches)
    step_flops = count_flops(lambda: trainer._step(first)) / _utterances(first)
    taken, seen = 0.0, 0
    while not seen or taken < STEPS_SECONDS:
        batch = next(batches)
        taken += _seconds(device, lambda batch=batch: trainer._step(batch))  # type: ignore[misc]
        seen += _utterances(batch)
    predict_flops = count_flops(lambda: _predict(trainer, first)) / _utterances(first)
    predict_seconds = _seconds(device, lambda: _predict(trainer, first)) / _utterances(first)
    probe_flops = count_flops(trainer._probe)
    probe_seconds = _seconds(device, trainer._probe)

    trained = len(data.train.speaker)
    predicted = len(data.test.speaker) + (len(data.validation.speaker) if data.validation else 0)
    steps = settings.epochs * trainer.train_data.batches(settings.batch_size)
    probes = -(-steps // settings.probe_every) + 1
    per_epoch = trained * taken / seen + predicted * predict_seconds
    total = settings.epochs * per_epoch + probes * probe_seconds
    return Cost(
        flops=settings.epochs * (trained * step_flops + predicted * predict_flops) + probes * probe_flops,
        rate=step_flops * seen / taken,
        epoch=total / settings.epochs,
        seconds=total,
        memory=peak_memory(device),
    )


def _utterances(batch: Batch) -> int:
    return len(batch.speakers)


@torch.no_grad()
def _predict(trainer: Trainer, batch: Batch) -> None:
    trainer.model.eval()
    trainer.model(batch.features, batch.speakers, batch.lengths)
    trainer.model.train()


def count_flops(work: Callable[[], object]) -> int:
    """Floating-point operations of the matrix products of this call; a multiply-add is two."""
    with _Counter() as counter:
        work()
    return counter.flops


class _Counter(TorchDispatchMode):
    """Counts by torch's formulas; its own FlopCounterMode refuses gradients that are asked of parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if (formula := flop_registry.get(func.overloadpacket)) is not None:
            self.flops += formula(*args, **(kwargs or {}), out_val=out)
        return out


def _seconds(device: str, work: Callable[[], object]) -> float:
    """CPU seconds of this process's one thread, so that other jobs count little; on CUDA until the device is done."""
    clock = time.process_time
    if device == "cuda":
        torch.cuda.synchronize()
        clock = time.perf_counter
    start = clock()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return clock() - start
