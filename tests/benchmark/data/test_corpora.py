import pytest

from benchmark.data.corpora import CORPORA, DEFAULT, SIMULATED, shape
from benchmark.data.simulation.spec import SPECS


def test_every_corpus_is_simulated_under_the_name_that_feature_files_know() -> None:
    assert tuple(SPECS) == SIMULATED
    assert SIMULATED[: len(DEFAULT)] == DEFAULT == tuple(f"{name}-sim" for name in CORPORA)


@pytest.mark.parametrize("name", SIMULATED)
def test_a_simulated_corpus_has_the_classes_and_speakers_of_the_corpus_that_it_is_named_after(name: str) -> None:
    corpus = CORPORA[shape(name)]
    assert name.startswith(corpus.name)
    assert (SPECS[name].class_names, len(SPECS[name].cast)) == (corpus.class_names, corpus.speakers)
