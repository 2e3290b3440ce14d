"""M3NET's pair: audio, visual and labels of MMGCN's file, four views of the text of RoBERTa's."""

import hashlib
import pickle

import numpy as np
import pytest

from benchmark.audit import audit_file
from benchmark.base.errors import DataError
from benchmark.base.words import counted
from benchmark.data import load_features
from benchmark.data.datasets import dataset
from benchmark.data.feature_files.cache import load_cached
from benchmark.data.feature_files.open_format import open_features
from benchmark.data.feature_files.reading import fingerprint, import_features
from tests.benchmark.data.feature_files.comparing import same

NAMES = {
    "iemocap": ("IEMOCAP_features.pkl", "iemocap_features_roberta.pkl"),
    "meld": ("MELD_features_raw1.pkl", "meld_features_roberta.pkl"),
}


@pytest.fixture(params=NAMES)
def corpus(request):
    return request.param


@pytest.fixture
def items(request, corpus):
    return request.getfixturevalue(f"{corpus}_items")


@pytest.fixture
def mmgcn(items):
    """MMGCN's tuple as a list, with a text of its own that is not RoBERTa's."""
    own = {c: [np.zeros(2) for _ in rows] for c, rows in items[3].items()}
    return [*items[:3], own, *items[7:12], *items[12:]]


@pytest.fixture
def roberta(items, corpus):
    """RoBERTa's tuple as a list: its conversations are in another order, MELD's has sentiments too."""
    train, test = items[10], items[11]
    texts = [dict(sorted(item.items())) for item in items[3:7]]
    sentiments = [{c: [0] * len(v) for c, v in items[2].items()}] if corpus == "meld" else []
    return [items[1], dict(items[2]), *sentiments, *texts, items[9], train[:1], test, train[1:]]


@pytest.fixture
def pair(tmp_path, corpus):
    def write(mmgcn, roberta):
        paths = [tmp_path / name for name in NAMES[corpus]]
        for path, items in zip(paths, (mmgcn, roberta), strict=True):
            path.write_bytes(pickle.dumps(tuple(items), 2))
        return paths

    return write


def refusal(paths, **options):
    with pytest.raises(DataError) as caught:
        load_features(paths[0], roberta=paths[1], **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_joined_pair_is_the_usual_file(pair, mmgcn, roberta, items, tmp_path):
    file, text = pair(mmgcn, roberta)
    usual = tmp_path / "usual"
    usual.write_bytes(pickle.dumps(tuple(items)))
    for view in ("1", "2", "3", "4", "mean", "concat"):
        assert same(load_features(file, roberta=text, text_view=view), load_features(usual, text_view=view))
    assert load_features(file).features["text"].shape[1] == 2  # nothing is joined unasked
    assert load_features(file, modalities=["audio"], roberta=str(text)).features.keys() == {"audio"}


def test_views_may_be_arrays_of_a_whole_conversation(pair, mmgcn, roberta, corpus):
    expected = load_features(*pair(mmgcn, roberta)[:1], roberta=pair(mmgcn, roberta)[1], text_view="4")
    for i in range(len(roberta) - 8, len(roberta) - 4):
        roberta[i] = {c: np.stack(rows) for c, rows in roberta[i].items()}
    file, text = pair(mmgcn, roberta)
    assert same(load_features(file, corpus, roberta=text, text_view="4"), expected)


def test_a_roberta_file_alone_names_its_partner(pair, mmgcn, roberta, corpus):
    _, text = pair(mmgcn, roberta)
    for named in (None, corpus):
        with pytest.raises(DataError, match=f"name that file .{NAMES[corpus][0]}. as FILE, and this one .* --roberta"):
            load_features(text, named)


def test_files_in_each_others_place_are_refused(pair, mmgcn, roberta, items, tmp_path):
    file, text = pair(mmgcn, roberta)
    assert "goes with a tuple of MMGCN's" in refusal((text, text))
    message = refusal((file, file))
    assert message.startswith(f"{file}: not RoBERTa's features of the text; name iemocap_features_roberta.pkl or")
    (tmp_path / "usual").write_bytes(pickle.dumps(tuple(items)))
    assert "goes with a tuple of MMGCN's" in refusal((tmp_path / "usual", text))


def test_a_hostile_partner_is_refused_by_its_own_name(pair, mmgcn, roberta):
    file, text = pair(mmgcn, roberta)
    text.write_bytes(b"cos\nsystem\n.")
    assert refusal((file, text)).startswith(f"{text}: refused the name 'os.system' at byte 0")
    text.unlink()
    assert refusal((file, text)).startswith(f"{text}: cannot be read")


def test_another_corpus_is_refused(iemocap_items, meld_items, tmp_path):
    i, m = iemocap_items, meld_items
    (tmp_path / "mmgcn").write_bytes(pickle.dumps((*i[:4], *i[7:12])))
    (tmp_path / "roberta").write_bytes(pickle.dumps((m[1], m[2], m[2], *m[3:7], m[9], m[10], m[11], [])))
    message = refusal((tmp_path / "mmgcn", tmp_path / "roberta"))
    assert "features of iemocap, and RoBERTa's are of meld" in message


@pytest.mark.parametrize("lacking", ["MMGCN", "RoBERTa"])
def test_a_conversation_that_one_file_lacks_is_named(pair, mmgcn, roberta, lacking):
    second = sorted(mmgcn[0])[1]
    for item in mmgcn[:7] if lacking == "MMGCN" else [i for i in roberta if isinstance(i, dict)]:
        item.pop(second, None)
        item.pop(sorted(item)[-1])  # named is the first that differs
    paths = pair(mmgcn, roberta)
    assert f"conversation {second!r} is missing from {lacking}'s file" in refusal(paths)


def test_a_conversation_that_an_item_of_roberta_lacks_is_named(pair, mmgcn, roberta):
    del roberta[-5][sorted(mmgcn[0])[0]]
    paths = pair(mmgcn, roberta)
    assert refusal(paths).startswith(f"{paths[1]}: conversation {sorted(mmgcn[0])[0]!r} is missing from item")


def test_another_number_of_utterances_is_located(pair, mmgcn, roberta):
    c = sorted(mmgcn[0])[1]
    n = len(mmgcn[0][c])
    for item in roberta:
        if isinstance(item, dict):
            item[c] = [*item[c], item[c][0]]
    message = refusal(pair(mmgcn, roberta))
    assert f"conversation {c!r} has {counted(n, 'utterance')} in MMGCN's file and {n + 1} in RoBERTa's" in message


def test_another_label_is_located(pair, mmgcn, roberta):
    c = sorted(mmgcn[0])[-1]
    was = mmgcn[2][c][1]
    roberta[1][c] = [mmgcn[2][c][0], (was + 1) % 6, *mmgcn[2][c][2:]]
    message = refusal(pair(mmgcn, roberta))
    assert f"conversation {c!r}, utterance 1 (from 0): label {was} in MMGCN's file and {(was + 1) % 6} in" in message


def test_a_pair_that_is_found_in_a_folder_is_joined_announced_and_identified(pair, mmgcn, roberta, corpus, tmp_path):
    file, text = pair(mmgcn, roberta)
    found = dataset(corpus, tmp_path)
    assert (found.file, found.roberta) == (file, text)
    assert found.description.startswith(f"{file.name} with the text of {text.name}, not the community's")
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (file, text)]
    assert found.fingerprint == fingerprint(file, text) == hashlib.sha256(" ".join(digests).encode()).hexdigest()
    assert same(found.load(), load_features(file, roberta=text))

    roberta[-4] = {c: ["another sentence"] * len(v) for c, v in roberta[-4].items()}
    pair(mmgcn, roberta)
    assert found.fingerprint == fingerprint(file, text) != hashlib.sha256(" ".join(digests).encode()).hexdigest()

    text.unlink()
    alone = dataset(corpus, tmp_path)
    assert alone.roberta is None
    assert alone.fingerprint == digests[0]
    assert alone.description.startswith(f"{file.name}, not the community's")


def test_the_usual_file_is_found_before_the_pair(pair, mmgcn, roberta, items, corpus, tmp_path):
    pair(mmgcn, roberta)
    usual = tmp_path / f"{corpus}_multimodal_features.pkl"
    usual.write_bytes(pickle.dumps(tuple(items)))
    found = dataset(corpus, tmp_path)
    assert (found.file, found.roberta) == (usual, None)


def test_the_cache_keeps_the_pair_apart_from_the_file_alone(pair, mmgcn, roberta, corpus):
    file, text = pair(mmgcn, roberta)
    for _ in range(2):
        assert load_cached(file, corpus).features["text"].shape[1] == 2
        assert same(load_cached(file, corpus, roberta=text), load_features(file, roberta=text))


def test_an_imported_pair_names_both_files(pair, mmgcn, roberta, tmp_path):
    file, text = pair(mmgcn, roberta)
    out = tmp_path / "out.safetensors"
    import_features(file, out, text)
    source = open_features(out).header.source
    assert (source.file, source.sha256) == (f"{file.name} + {text.name}", fingerprint(file, text))
    for view in ("1", "concat"):
        assert same(load_features(out, text_view=view), load_features(file, roberta=text, text_view=view))
    assert "has its text: leave out" in refusal((out, text))


def test_a_pair_is_audited_as_what_a_run_reads(pair, mmgcn, roberta):
    mmgcn, roberta = pair(mmgcn, roberta)

    audit = audit_file(mmgcn, roberta=roberta)

    joined = load_features(mmgcn, roberta=roberta)
    assert audit.file == f"{mmgcn.name} + {roberta.name}"
    assert audit.sha256 == fingerprint(mmgcn, roberta)
    assert audit.widths == {m: x.shape[1] for m, x in joined.features.items()}
    assert audit.widths["text"] != audit_file(mmgcn).widths["text"]
