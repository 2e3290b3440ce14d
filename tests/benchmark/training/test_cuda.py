"""On a GPU: a step never makes the host wait for the device."""

import pytest
import torch

from benchmark.data.datasets import dataset
from benchmark.data.splits import split
from benchmark.experiment.grid import expand
from benchmark.experiment.presets import load_preset
from benchmark.training.trainer import Trainer

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


@pytest.mark.parametrize("method", ["css", "adam", "pcgrad", "concat+pgm", "tensor"])
def test_a_step_waits_for_nothing(method: str) -> None:
    """The first step is left out: it loads kernels, and PGM its table of faces."""
    data = dataset("meld-sim", None)
    (spec,) = expand(load_preset("smoke"), [data], [method], [0], device="cuda")
    trainer = Trainer(spec, split(data.load(), 0), "cuda")
    batch = trainer.train_data.batch(range(8))
    trainer._step(batch)
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        trainer._step(batch)
    finally:
        torch.cuda.set_sync_debug_mode("default")
