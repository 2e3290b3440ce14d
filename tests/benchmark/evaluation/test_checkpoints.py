"""``cssbench evaluate``: a checkpoint under the released names, scored on the test split."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score

from benchmark.base.errors import DataError, UserError
from benchmark.data.datasets import DataSet, dataset
from benchmark.evaluation.checkpoints import NonFiniteError, evaluate_checkpoint, read_checkpoint
from css.model import EmotionClassifier
from css.released import ReleasedEncoder, ReleasedPolynomialFusion
from css.released.state import released_names
from tests.benchmark.harness import Say

Params = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def corpus() -> DataSet:
    return dataset("iemocap-sim", None)


def released(corpus: DataSet, speakers: int = 2, classes: int = 6, **widths: int) -> EmotionClassifier:
    """A small model that fits the data set but for what is given."""
    torch.manual_seed(0)
    inputs = {m: x.shape[1] for m, x in corpus.load().features.items()} | widths
    encoder = ReleasedEncoder(inputs, 16, 2, 0.0, speakers)
    return EmotionClassifier(encoder, ReleasedPolynomialFusion(16, 4, 2), classes, 0.0).eval()


def parameters(model: EmotionClassifier) -> Params:
    return {name: t.clone() for name, t in released_names({n: p.detach() for n, p in model.named_parameters()}).items()}


@pytest.fixture(scope="module")
def params(corpus: DataSet) -> Params:
    return parameters(released(corpus))


def saved(folder: Path, content: Any) -> Path:
    file = folder / "checkpoint.pt"
    torch.save(content, file)
    return file


@pytest.mark.parametrize(
    "nest",
    [
        lambda p: p,
        lambda p: {"state_dict": p, "epoch": 3},
        lambda p: {"model": p},
        lambda p: {"net": p, "acc": 68.5},
        lambda p: {"net": {"state_dict": p}},
        lambda p: {f"module.{name}": t for name, t in p.items()},
        lambda p: {"net": {f"module.module.{name}": t for name, t in p.items()}},
        lambda p: {name: torch.nn.Parameter(t) for name, t in p.items()},
    ],
)
def test_a_checkpoint_is_scored_on_the_test_split(tmp_path: Path, corpus: DataSet, params: Params, nest: Any) -> None:
    found = evaluate_checkpoint(saved(tmp_path, nest(params)), corpus, heads=2)

    test = corpus.load().where("test")
    features = {m: torch.from_numpy(x) for m, x in test.features.items()}
    logits = released(corpus)(features, torch.from_numpy(test.speaker), torch.from_numpy(test.lengths)).fused
    predicted = logits.argmax(-1).numpy()
    assert found["accuracy"] == pytest.approx(accuracy_score(test.label, predicted))
    assert found["weighted_f1"] == pytest.approx(f1_score(test.label, predicted, average="weighted", zero_division=0))
    assert found["nll"] == pytest.approx(torch.nn.functional.cross_entropy(logits, torch.from_numpy(test.label)).item())
    assert len(found["per_class_f1"]) == 6
    assert found.keys() == {
        *("accuracy", "weighted_f1", "macro_f1", "per_class_f1", "confusion", "nll", "ece", "brier"),
    }


def test_a_model_of_other_features_classes_or_speakers_is_refused(tmp_path: Path, corpus: DataSet) -> None:
    for model, said in (
        (released(corpus, text=9), "trained on features of other widths than iemocap-sim has here: text 9, audio "),
        (released(corpus, classes=7), "tells 7 classes apart, iemocap-sim has 6"),
        (released(corpus, speakers=1), "knows 1 speaker, iemocap-sim has 2"),
    ):
        with pytest.raises(UserError, match=said):
            evaluate_checkpoint(saved(tmp_path, parameters(model)), corpus, heads=2)


def test_what_a_checkpoint_lacks_is_named(tmp_path: Path, corpus: DataSet, params: Params) -> None:
    file = saved(tmp_path, {n: t for n, t in params.items() if n != "t_gate.fc.weight"})
    with pytest.raises(DataError, match=r"checkpoint\.pt: .* for iemocap: missing: t_gate\.fc\.weight$"):
        evaluate_checkpoint(file, corpus, heads=2)
    with pytest.raises(DataError, match="16 wide, which 3 heads do not divide"):
        evaluate_checkpoint(saved(tmp_path, params), corpus, heads=3)


@pytest.mark.parametrize("names", ["all", "all_output_layer.bias"])
def test_a_checkpoint_of_nan_has_no_scores(
    tmp_path: Path, corpus: DataSet, params: Params, names: str, say: Say
) -> None:
    broken = {n: t * float("nan") if names in ("all", n) else t for n, t in params.items()}
    file = saved(tmp_path, broken)
    with pytest.raises(
        NonFiniteError, match="outputs for 1623 of 1623 test utterances are NaN, and so are some of its"
    ):
        evaluate_checkpoint(file, corpus, heads=2)
    code, out, err = say("evaluate", "--checkpoint", file, "--dataset", "iemocap-sim", "--heads", 2)
    assert (code, out) == (1, "")
    assert "it has no scores" in err


class Trap:
    """Leaves a mark when it is unpickled."""

    mark: Path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.mark,))


def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    Trap.mark = tmp_path / "mark"
    for write in (lambda file: torch.save({"w": Trap()}, file), lambda file: file.write_bytes(pickle.dumps(Trap()))):
        write(tmp_path / "trap.pt")
        with pytest.raises(DataError, match="is no checkpoint that can be read safely"):
            read_checkpoint(tmp_path / "trap.pt")
    assert not Trap.mark.exists()


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 and no more", b"\x80\x02}."])
def test_other_files_are_no_checkpoints(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "checkpoint.pt"
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"checkpoint\.pt (is no checkpoint|holds no state dict)"):
        read_checkpoint(file)


@pytest.mark.parametrize("content", [{}, [1, 2], {"epoch": 3}, torch.zeros(2), {"model": {}}])
def test_what_holds_no_tensors_by_name_is_no_checkpoint(tmp_path: Path, content: Any) -> None:
    with pytest.raises(DataError, match="holds no state dict"):
        read_checkpoint(saved(tmp_path, content))


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for file in (tmp_path / "none.pt", tmp_path):
        with pytest.raises(DataError, match=r"^cannot read .*; name a checkpoint with --checkpoint$"):
            read_checkpoint(file)


def test_the_command_prints_every_score(tmp_path: Path, params: Params, cli: Any) -> None:
    line = ("evaluate", "--checkpoint", saved(tmp_path, params), "--dataset", "iemocap-sim", "--heads", "2")
    table, as_json = cli(*line), cli(*line, "--json")

    assert (table.returncode, as_json.returncode) == (0, 0), table.stderr + as_json.stderr
    scores = json.loads(as_json.stdout)
    for said in (
        "weighted F1",
        "F1 of frustrated",
        "ECE",
        "NLL",
        f"{100 * scores['accuracy']:.2f}",
        "simulated corpus",
    ):
        assert said in table.stdout
    refused = cli("evaluate", "--checkpoint", tmp_path / "none.pt", "--dataset", "iemocap-sim")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: cannot read ")
