"""A modality that is missing at test time: what a model predicts whose weights have been trained on all of them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from torch import Tensor

from benchmark.base.errors import UserError
from benchmark.base.names import look_up
from benchmark.data.conversations import Conversations
from benchmark.evaluation.scoring import Scorer
from benchmark.experiment.spec import RunSpec
from benchmark.training.batches import PackedData, Standardizer
from benchmark.training.building import build_model, encoded_modalities
from benchmark.training.prediction import predict
from benchmark.training.seeding import derive

How = Literal["zeroed", "shuffled"]
HOW: tuple[How, ...] = get_args(How)
Condition = tuple[str, How]
"""A modality, and how it is missing."""


def without(
    test: Conversations, condition: Condition, seed: int, standardizer: Standardizer | None = None
) -> Conversations:
    """The test conversations as they are where a modality is missing; all else, the order too, is as it was.

    ``zeroed``: the model is given zeros for it, which after standardisation is its mean over the training data.
    ``shuffled``: its vectors change places, over all test utterances, by a permutation that follows from the seed.
    """
    modality, how = condition
    x = test.features[modality]
    if how == "shuffled":
        changed = x[np.random.default_rng(derive(seed, "missing", modality)).permutation(len(x))]
    else:
        changed = np.zeros_like(x) if standardizer is None else np.broadcast_to(standardizer.mean[modality], x.shape)
    return replace(test, features=test.features | {modality: changed.copy()})


def conditions(drop: str | None, shuffle: str | None, modalities: Sequence[str]) -> list[Condition]:
    """What ``--drop audio,text`` and ``--shuffle visual`` ask for; raises UserError for what a data set has not got."""
    asked: list[Condition] = []
    for option, text, how in (("--drop", drop, HOW[0]), ("--shuffle", shuffle, HOW[1])):
        names = [name.strip() for name in (text or "").split(",") if name.strip()]
        if text is not None and not names:
            raise UserError(f"{option} names nothing: {text!r}; give some of {', '.join(modalities)}")
        for name in names:
            look_up("modality", name, dict.fromkeys(modalities))
        asked += [(name, how) for name in dict.fromkeys(names)]
    if twice := next((name for name in modalities if sum(name == asked_for for asked_for, _ in asked) > 1), None):
        raise UserError(f"--drop and --shuffle both name {twice}: name it in one of them")
    return asked


def robustness(
    spec: RunSpec,
    weights: dict[str, Tensor],
    train: Conversations,
    conversations: Conversations,
    recorded: npt.NDArray[np.float32],
) -> dict[str, Any]:
    """Scores of a run's model on the test set as it is, and with each modality that it sees zeroed and shuffled.

    Args:
        weights: at the epoch that counts.
        train: what the run was trained on, without its validation data.
        conversations: the data set, with its labels.
        recorded: the class probabilities [N, C] that the run has kept of that epoch.

    Returns:
        ``intact`` and ``conditions`` as in docs/run-format.md.

    Raises:
        UserError: the weights are no model of this specification, or do not predict what the run has kept.
    """
    device = spec.provenance.device
    test = conversations.where("test").without_labels()
    standardizer = Standardizer.fit(train) if spec.training.standardize else None
    model, _ = build_model(spec, train, device)
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        cause = " ".join(str(error).split())[:200]
        raise UserError(
            f"the weights are not of this version's {spec.method.label}: {cause}; make the run again in another store"
        ) from None
    scorer = Scorer(conversations)

    def scored(data: Conversations) -> tuple[dict[str, Any], npt.NDArray[np.float32]]:
        probabilities = predict(model, PackedData(data, device, standardizer)).numpy()
        return scores_of(scorer, probabilities), probabilities

    intact, probabilities = scored(test)
    if not np.allclose(probabilities, recorded, atol=1e-3):
        raise UserError(
            f"the weights of {spec.method.label} (seed {spec.seed}) do not predict here what the run has kept "
            f"(a probability differs by {np.abs(probabilities - recorded).max():.3g}): another version of the code; "
            "make the run again in another store"
        )
    return {
        "intact": intact,
        "conditions": [
            {"modality": modality, "how": how} | scored(without(test, (modality, how), spec.seed, standardizer))[0]
            for modality in encoded_modalities(spec)
            for how in HOW
        ],
    }


def scores_of(scorer: Scorer, probabilities: npt.NDArray[np.float32]) -> dict[str, Any]:
    """The scores that stand in ``robustness.json``; raises UserError where a prediction is no number."""
    if not np.isfinite(probabilities).all():
        raise UserError("its outputs are not finite where a modality is missing: it has no scores there")
    scores = scorer.scores(probabilities)
    return {name: scores[name] for name in ("accuracy", "weighted_f1", "macro_f1", "confusion")}
