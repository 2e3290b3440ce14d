"""Predictions of a model, and how they do on data whose labels are known."""

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import accuracy_score, f1_score
from torch.nn import functional as F

from benchmark.training.batches import PackedData
from css.model import EmotionClassifier

BATCH = 64
"""Conversations in an evaluation batch; no number depends on it beyond rounding."""


@torch.no_grad()
def predict(model: EmotionClassifier, data: PackedData) -> torch.Tensor:
    """Class probabilities of the fused branch [N, C], float32 on the CPU, in evaluation mode.

    An utterance of which a logit is not finite has NaN for all of them: it has no most probable class.
    """
    model.eval()
    logits = torch.cat([model(b.features, b.speakers, b.lengths).fused for b in data.in_order(BATCH)])
    model.train()
    usable = logits.isfinite().all(dim=-1, keepdim=True)
    return torch.where(usable, F.softmax(logits, dim=-1), torch.nan).cpu()


SCORES = ("validation_loss", "validation_accuracy", "validation_weighted_f1", "validation_macro_f1")


def validation_scores(probabilities: torch.Tensor, label: npt.NDArray[np.int64]) -> dict[str, float]:
    """Loss (nats), accuracy, weighted and macro F1 of predictions [N, C] against labels [N]."""
    predicted = probabilities.argmax(-1).numpy()
    chosen = probabilities[torch.arange(len(label)), torch.from_numpy(label)].double()
    scores = (
        -chosen.clamp_min(torch.finfo(torch.float32).tiny).log().mean(),
        accuracy_score(label, predicted),
        f1_score(label, predicted, average="weighted", zero_division=0),
        f1_score(label, predicted, labels=np.unique(label), average="macro", zero_division=0),
    )
    return dict(zip(SCORES, map(float, scores), strict=True))
