"""All numbers of a contrast: those of its test, and those that only describe it."""

import math
from typing import Any

import numpy as np

from reports.evidence.evidence import Evidence
from reports.inference.contrasts import Contrast
from reports.inference.folds import by_session
from reports.statistics import (
    UnpairedComparison,
    conversation_flip_test,
    crossed_bootstrap,
    intraclass_correlation,
    seeds_for_difference,
    seeds_for_equivalence,
    variance_components,
)
from reports.statistics.power import SeedsNeeded
from reports.text import MISSING

NAN = float("nan")


def describe(evidence: Evidence, contrast: Contrast) -> dict[str, Any]:
    """Every number of a contrast by the name of its column, in points of F1; what there is not is NaN."""
    c = contrast.comparison
    row: dict[str, Any] = {
        "a": contrast.a,
        "b": contrast.b,
        "declared": not contrast.remark,
        "remark": contrast.remark,
        "family_size": contrast.members,
        "margin": contrast.margin,
        "verdict": contrast.judgement.verdict.value,
        "sentence": contrast.judgement.sentence,
        "p_adjusted": contrast.p_adjusted,
        "p_adjusted_mc_se": contrast.mc_se,
        "p_holm": contrast.p_holm,
        "p_equal": contrast.p_equal,
        "p_equal_holm": contrast.p_equal_holm,
        "seeds_declared": contrast.standing.declared,
        "seeds_present": contrast.standing.present,
        "runs_failed": contrast.standing.failures,
    }
    if contrast.unpaired is not None:
        return row | _unpaired(contrast.unpaired, contrast)
    if c is None or contrast.spread is None:
        return row | {"n": 0} | dict.fromkeys(NUMBERS, NAN) | WORDS
    difference = equivalence = None
    if c.degrees > 0:
        difference = seeds_for_difference(contrast.margin, c.spread, c.n, contrast.level, c.group_degrees)
        equivalence = seeds_for_equivalence(contrast.margin, c.spread, c.n, degrees=c.group_degrees)
    return row | {
        "n": c.n,
        "dropped_seeds": " ".join(map(str, c.dropped)),
        "difference": c.mean,
        "sd": c.sd,
        "se": c.se,
        "session_correlation": intraclass_correlation(c.differences, np.array(c.groups)) if c.groups else NAN,
        "low": c.interval.low,
        "high": c.interval.high,
        "low_90": c.interval_90.low,
        "high_90": c.interval_90.high,
        "p": c.p,
        "p_t": c.p_t,
        "p_wilcoxon": c.p_wilcoxon,
        "bca_low": c.bca.low,
        "bca_high": c.bca.high,
        "bca_warning": c.bca_warning,
        "d_z": c.d_z,
        "d_z_low": c.d_z_interval.low,
        "d_z_high": c.d_z_interval.high,
        "improvement": c.improvement,
        "improvement_low": c.improvement_interval.low,
        "improvement_high": c.improvement_interval.high,
        "power": contrast.judgement.numbers.get("power", NAN),
        "seeds_for_difference": _needed(difference),
        "seeds_for_equivalence": _needed(equivalence),
        **_crossed(evidence, contrast),
        **_sessions(evidence, contrast),
        **_spread(contrast),
    }


def _unpaired(comparison: UnpairedComparison, contrast: Contrast) -> dict[str, Any]:
    """What there is without pairs: everything by seed is not available."""
    return dict.fromkeys(NUMBERS, NAN) | WORDS | {
        "n": comparison.n,
        "n_a": comparison.n_a,
        "n_b": comparison.n_b,
        "difference": comparison.mean,
        "low": comparison.interval.low,
        "high": comparison.interval.high,
        "low_90": comparison.interval_90.low,
        "high_90": comparison.interval_90.high,
        "p": comparison.p,
        "p_t": comparison.p_welch,
        "power": contrast.judgement.numbers.get("power", NAN),
    }  # fmt: skip


CROSSED = (
    "crossed_low", "crossed_high", "crossed_se", "variance_seed", "variance_conversation", "variance_remainder",
    "se_seed", "se_conversation", "se_remainder", "p_conversations",
)  # fmt: skip
SESSIONS = ("sessions_difference", "sessions_low", "sessions_high")
SPREAD = ("sd_a", "sd_b", "sd_ratio", "sd_ratio_low", "sd_ratio_high", "p_spread", "p_pitman_morgan")
NUMBERS = (
    "difference", "sd", "low", "high", "low_90", "high_90", "p", "p_t", "p_wilcoxon", "bca_low", "bca_high",
    "d_z", "d_z_low", "d_z_high", "improvement", "improvement_low", "improvement_high", "power", *CROSSED,
    *SESSIONS, *SPREAD,
)  # fmt: skip
WORDS = {
    "seeds_for_difference": MISSING, "seeds_for_equivalence": MISSING, "bca_warning": "", "spread_verdict": "",
    "spread_sentence": "",
}  # fmt: skip


def _crossed(evidence: Evidence, contrast: Contrast) -> dict[str, float]:
    """Two sources of chance; the standard error of the difference is about the root of the sum of the three squares."""
    assert contrast.comparison is not None
    seeds = contrast.comparison.seeds
    if not seeds or evidence.comparison.folds:  # conversations of a fold share a model
        return dict.fromkeys(CROSSED, NAN)
    a, b = (evidence.counts(method, seeds) for method in (contrast.a, contrast.b))
    bootstrap, parts = crossed_bootstrap(a, b), variance_components(a, b)
    conversations = a.shape[1]
    return {
        "crossed_low": 100 * bootstrap.interval.low,
        "crossed_high": 100 * bootstrap.interval.high,
        "crossed_se": 100 * bootstrap.se,
        "variance_seed": 100**2 * parts.seed,
        "variance_conversation": 100**2 * parts.conversation,
        "variance_remainder": 100**2 * parts.remainder,
        "se_seed": 100 * math.sqrt(parts.seed / len(seeds)),
        "se_conversation": 100 * math.sqrt(parts.conversation / conversations),
        "se_remainder": 100 * math.sqrt(parts.remainder / len(seeds) / conversations),
        "p_conversations": conversation_flip_test(a, b).p,
    }


def _sessions(evidence: Evidence, contrast: Contrast) -> dict[str, float]:
    """The difference over sessions that are held out in turn, with its interval."""
    differences = by_session(evidence.comparison, contrast)
    if differences is None:
        return dict.fromkeys(SESSIONS, NAN)
    over = differences.over_sessions
    return dict(zip(SESSIONS, (over.mean, over.low, over.high), strict=True))


def _spread(contrast: Contrast) -> dict[str, Any]:
    spread = contrast.spread
    assert spread is not None
    ratio, low, high = (math.exp(value / 2) for value in (spread.log_ratio, *spread.interval))
    return {
        "sd_a": spread.sd_a,
        "sd_b": spread.sd_b,
        "sd_ratio": ratio,
        "sd_ratio_low": low,
        "sd_ratio_high": high,
        "p_spread": spread.p,
        "p_pitman_morgan": spread.p_pitman_morgan,
        "spread_verdict": contrast.spread_judgement.verdict.value,
        "spread_sentence": contrast.spread_judgement.sentence,
    }


def _needed(seeds: SeedsNeeded | None) -> str:
    if seeds is None:
        return MISSING
    low, high = ("> 10,000" if n is None else str(n) for n in (seeds.low, seeds.high))
    return low if low == high else f"{low} to {high}"
