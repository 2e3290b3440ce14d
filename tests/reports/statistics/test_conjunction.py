import itertools

import pytest

from reports.statistics import Verdict, conjunction, counts_in_words, not_testable
from reports.statistics.verdicts import Judgement

WITHIN = (Verdict.SHOWN_EQUAL, Verdict.WITHIN_MARGIN)


def part(verdict, alone=None):
    return Judgement(verdict, alone or verdict, "", {})


@pytest.mark.parametrize("others", list(itertools.product(Verdict, repeat=2)))
def test_all_parts_support_one_contradicts_and_one_that_is_small_stands_against(others):
    found = conjunction([part(v) for v in (Verdict.SUPPORTED, *others)])
    if Verdict.CONTRADICTED in others:
        assert found is Verdict.CONTRADICTED
    elif set(others) == {Verdict.SUPPORTED}:
        assert found is Verdict.SUPPORTED
    elif {*WITHIN, Verdict.NOT_SUPPORTED} & set(others):
        assert found is Verdict.NOT_SUPPORTED
    else:
        assert found in set(others) - {Verdict.SUPPORTED}


def test_a_claim_with_two_equal_parts_of_ten_is_not_supported_and_not_equal():
    parts = [part(Verdict.SUPPORTED)] * 6 + [part(Verdict.SHOWN_EQUAL)] * 2 + [part(Verdict.UNDERPOWERED)] * 2
    assert conjunction(parts) is Verdict.NOT_SUPPORTED
    assert counts_in_words(parts) == "6 supported, 2 shown equal, 2 underpowered"


def test_equal_is_only_what_is_equal_in_all_parts():
    equal = part(Verdict.SHOWN_EQUAL)
    assert conjunction([equal, equal]) is Verdict.SHOWN_EQUAL
    assert conjunction([equal, part(Verdict.WITHIN_MARGIN)]) is Verdict.NOT_SUPPORTED
    assert conjunction([equal, part(Verdict.UNDERPOWERED)]) is Verdict.NOT_SUPPORTED


def test_the_parts_of_a_conjunction_need_no_adjustment():
    weak = part(Verdict.UNDERPOWERED, alone=Verdict.SUPPORTED)
    assert conjunction([weak, part(Verdict.SUPPORTED)]) is Verdict.SUPPORTED
    assert conjunction([weak, part(Verdict.UNDERPOWERED)]) is Verdict.UNDERPOWERED
    assert conjunction([weak, not_testable("x", "no runs")]) is Verdict.NOT_TESTABLE
    # opposite direction by its raw p alone: no support, and no contradiction either
    against = part(Verdict.NO_DIFFERENCE_SHOWN, alone=Verdict.CONTRADICTED)
    assert conjunction([weak, against]) is Verdict.UNDERPOWERED


def test_a_conjunction_needs_parts():
    with pytest.raises(ValueError, match="without parts"):
        conjunction([])
