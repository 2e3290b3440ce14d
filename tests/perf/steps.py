"""Runs, batches and steps that are timed: on the real corpora where they are there, else on the simulated ones."""

from functools import partial

from torch.nn import functional as F

from benchmark.data.datasets import DataSet
from benchmark.data.splits import split
from benchmark.experiment.grid import expand
from benchmark.experiment.presets import load_preset
from benchmark.training.trainer import Trainer
from tests.css.padded import PaddedBatch, PaddedClassifier, PaddedReleasedClassifier, padded_step
from tests.paths import REAL_DATA

NAMES = {"iemocap": "IEMOCAP", "meld": "MELD"}


def dataset(corpus):
    """The real corpus where its file is there, else the simulated one, whose lengths are distributed alike."""
    file = REAL_DATA / f"{corpus}_multimodal_features.pkl"
    return DataSet(corpus, corpus, file) if file.exists() else simulated(corpus)


def simulated(corpus):
    return DataSet(f"{corpus}-sim", corpus, None)


def trainer(source, method="css", **training):
    """A run of ``quick`` that has not begun, with these settings."""
    (spec,) = expand(load_preset("quick"), [source], [method], [0], training=training)
    return Trainer(spec, split(source.load(), 0))


def batches(run, count):
    """Random full batches, the same for every method."""
    size, taken, epoch = run.spec.training.batch_size, [], 0
    while len(taken) < count:
        epoch += 1
        taken += [b for b in run.train_data.epoch(size, seed=0, epoch=epoch) if len(b.lengths) == size]
    return taken[:count]


def padded(run):
    """A step as public code makes it: padded, modality by modality, plain dropout, a backward pass more."""
    released = run.spec.method.encoder.name == "released"
    dropout = partial(F.dropout, p=run.spec.training.dropout)
    classifier = (PaddedReleasedClassifier if released else PaddedClassifier)(run.model, dropout=dropout)
    settings = run.objective

    def objective(logits, label):
        return settings.function(logits, label, settings.temperature, settings.class_weights)

    def step(batch):
        return padded_step(classifier, PaddedBatch.of(batch), objective, run.aggregator, run.optimizer)

    return step
