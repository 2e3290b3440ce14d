"""An author's checkpoint to scores on the test split."""

import pickle
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmark.base.errors import DataError, UserError
from benchmark.base.words import counted
from benchmark.data.conversations import Conversations
from benchmark.data.datasets import DataSet
from benchmark.data.feature_files.other_files import refuse_in_place
from benchmark.evaluation.missing import Condition, without
from benchmark.evaluation.scoring import Scorer
from benchmark.training.batches import PackedData
from benchmark.training.prediction import predict
from css.model import EmotionClassifier
from css.released import load_state

NESTED = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "params")
"""Where checkpoints keep the parameters, if not at the top."""

_DEEPEST = 2  # of such wrappers in each other
_PARALLEL = "module."  # which DataParallel puts before every name


class NonFiniteError(UserError):
    """A model whose outputs are no numbers, so that no class is its prediction."""


def evaluate_checkpoint(
    file: Path,
    dataset: DataSet,
    heads: int = 8,
    device: str = "cpu",
    *,
    missing: Sequence[Condition] = (),
    seed: int = 0,
) -> dict[str, Any]:
    """Scores of a checkpoint of the released implementation on a data set's test split.

    The features go in as they are: the released code does not standardise them.

    Args:
        missing: modalities that are zeroed or shuffled, all of them at once; ``seed`` is that of the permutations.

    Returns:
        accuracy, weighted_f1, macro_f1, per_class_f1 [C], confusion [C][C], nll, ece, brier (docs/run-format.md).

    Raises:
        DataError: no checkpoint, or not of that implementation; UserError: not of this data set; NonFiniteError: some
            of its outputs on the test split are NaN.
    """
    parameters = read_checkpoint(file)
    try:
        model = load_state(parameters, dataset.corpus, heads)
    except ValueError as error:
        raise DataError(f"{file}: {error}") from None
    conversations = dataset.load()
    test = conversations.where("test")
    _check_fit(model, test, dataset, file)
    seen = test.without_labels()
    for condition in missing:
        seen = without(seen, condition, seed)
    probabilities = predict(model.to(device), PackedData(seen, device))
    if lost := int((~torch.isfinite(probabilities).all(dim=1)).sum()):
        raise NonFiniteError(
            f"{file}: its outputs for {lost} of {counted(len(probabilities), 'test utterance')} are NaN, "
            f"{_damaged(parameters)}: it has no scores; use a checkpoint of an earlier epoch"
        )
    return Scorer(conversations).scores(probabilities.numpy())


def _damaged(parameters: Mapping[str, Tensor]) -> str:
    wrong = [name for name, t in parameters.items() if not torch.isfinite(t).all()]
    return (
        f"and so are some of its parameters ({len(wrong)}, first {wrong[0]})"
        if wrong
        else "though its parameters are not"
    )


def read_checkpoint(file: Path) -> dict[str, Tensor]:
    """Tensors by name from a file that ``torch.save`` wrote, without executing anything in it.

    Raises:
        DataError: no such file, or no state dict.
    """
    refuse_in_place(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the file's dialect of pickle, before it is refused for its content
            content = torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise DataError(
            f"cannot read {file} ({error.strerror or error}); name a checkpoint with --checkpoint"
        ) from None
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, LookupError, AttributeError, TypeError):
        raise DataError(
            f"{file} is no checkpoint that can be read safely: save model.state_dict() with torch.save, nothing else"
        ) from None
    for _ in range(_DEEPEST):
        inner = (content[name] for name in NESTED if isinstance(content, Mapping) and name in content)
        content = next((value for value in inner if isinstance(value, Mapping)), content)
    if not isinstance(content, Mapping) or not content or not all(isinstance(t, Tensor) for t in content.values()):
        raise DataError(f"{file} holds no state dict (tensors by name): save model.state_dict() with torch.save")
    tensors = {str(name): t.detach() for name, t in content.items()}  # nn.Parameter would ask for gradients
    while all(name.startswith(_PARALLEL) for name in tensors):
        tensors = {name.removeprefix(_PARALLEL): t for name, t in tensors.items()}
    return tensors


def _check_fit(model: EmotionClassifier, test: Conversations, dataset: DataSet, file: Path) -> None:
    widths = {m: int(model.encoder.get_parameter(f"inputs.{m}.weight").shape[1]) for m in model.encoder.modalities}
    given = {m: x.shape[1] for m, x in test.features.items()}
    if widths != given:
        raise UserError(
            f"{file} was trained on features of other widths than {dataset.name} has here: {_listed(widths)}, not "
            f"{_listed(given)}; name the folder of the features that it was trained on with --data-dir"
        )
    classes = model.classifier.out_features
    if classes != len(test.class_names):
        raise UserError(
            f"{file} tells {counted(classes, 'class', 'classes')} apart, {dataset.name} has {len(test.class_names)}"
        )
    speakers = model.encoder.get_parameter("speaker.weight").shape[0] - 1
    if speakers < test.speakers:
        raise UserError(f"{file} knows {counted(speakers, 'speaker')}, {dataset.name} has {test.speakers}")


def _listed(widths: Mapping[str, int]) -> str:
    return ", ".join(f"{m} {width}" for m, width in widths.items())
