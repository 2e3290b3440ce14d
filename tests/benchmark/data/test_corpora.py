from benchmark.data.corpora import CORPORA, SIMULATED
from benchmark.data.simulation.spec import SPECS


def test_every_corpus_is_simulated_under_the_name_that_feature_files_know() -> None:
    assert tuple(SPECS) == SIMULATED
    assert [spec.class_names for spec in SPECS.values()] == [corpus.class_names for corpus in CORPORA.values()]
