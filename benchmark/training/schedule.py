"""The learning rate of every step, in closed form: a run that goes on needs no state but the number of its steps."""

import math

from benchmark.experiment.spec import Training


def learning_rate(settings: Training, step: int, steps: int) -> float:
    """The rate of one step, counted from 0, of so many.

    Under ``warmup-cosine`` it rises linearly over the first ``warmup`` of the steps to ``lr``, then falls along half a
    cosine, to 0 after the last.
    """
    if settings.schedule == "constant":
        return settings.lr
    rising = round(settings.warmup * steps)
    if step < rising:
        return settings.lr * (step + 1) / (rising + 1)
    return settings.lr * (1 + math.cos(math.pi * (step - rising) / (steps - rising))) / 2
