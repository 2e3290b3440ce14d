"""The table of comparisons: what was declared, tested and found, and beside it everything that only describes."""

import math
from typing import Any

import numpy as np
import pandas as pd

from reports.evidence.evidence import Evidence
from reports.inference import imported as imports
from reports.inference.contrasts import Contrast, Inference
from reports.inference.sessions import session_words
from reports.inference.single_streams import stream_words
from reports.statistics import (
    UnpairedComparison,
    conversation_flip_test,
    crossed_bootstrap,
    intraclass_correlation,
    seeds_for_difference,
    seeds_for_equivalence,
    variance_components,
)
from reports.statistics.effects import BCA_SEEDS
from reports.statistics.power import SeedsNeeded
from reports.statistics.variances import PITMAN_MORGAN_LABEL
from reports.tables.listings import Listing, Sheet
from reports.text import MISSING, number

NAN = float("nan")
NOTE = (
    "Differences of weighted F1 on the test set at the epoch chosen on validation, in points, paired by seed. "
    "Decisive: p adjusted, from sign flips of whole seeds and the largest |t| of the family, over all data sets; and "
    "the 90 % interval against the margin δ. Student's intervals hold one at a time, and so does each “shown equal”: "
    "its p is adjusted over the family in the column p equality, Holm. Seeds: declared / present / failed. "
    "Everything else describes."
)
UNPAIRED = (
    "The seeds of an imported method that nobody has said to be matched are not paired: Welch's intervals, and p from "
    "permutations of Welch's t, adjusted (Holm) among such comparisons. An import whose epoch was not chosen on "
    "validation data can be shown worse, but neither better nor alike."
)


def comparisons(evidence: Evidence, inference: Inference) -> Sheet:
    """A row a contrast."""
    comparison = evidence.comparison
    contrasts = inference.of(comparison.dataset)
    rows = [{"dataset": comparison.dataset, "data": comparison.data_origin.kind} | _row(evidence, c) for c in contrasts]
    sentences = [inference.declarations[comparison.dataset], *_warnings(evidence, contrasts)]
    sentences += stream_words(comparison)
    if comparison.imported:
        sentences += [*imports.sentences(comparison), UNPAIRED]
    listings = (
        Listing(
            "",
            (
                "comparison", "n", "seeds", "difference", "95 % CI", "90 % CI", "δ", "p", "p adjusted", "verdict",
            ),
            tuple(
                (
                    c.label, _count(r), c.standing.counts, _signed(r["difference"]), _interval(r["low"], r["high"]),
                    _interval(r["low_90"], r["high_90"]), f"{c.margin:g}", _p(r["p"]), _p(r["p_adjusted"]), c.verdict,
                )
                for c, r in zip(contrasts, rows, strict=True)
            ),
            frozenset({"verdict"}),
        ),
        Listing(
            "Beside the test: description, and what more seeds could show",
            (
                "comparison", "p Holm", "p equality", "p equality, Holm", "p Wilcoxon", "BCa 95 %",
                "d_z", "better in", "sd", "power at δ",
                "seeds for δ", "seeds for equality",
            ),
            tuple(
                (
                    c.label, _p(r["p_holm"]), _p(c.p_equal), _p(c.p_equal_holm), _p(r["p_wilcoxon"]),
                    _interval(r["bca_low"], r["bca_high"]),
                    number(r["d_z"], 2), _percent(r["improvement"]), number(r["sd"], 2), number(r["power"], 2),
                    r["seeds_for_difference"], r["seeds_for_equivalence"],
                )
                for c, r in zip(contrasts, rows, strict=True)
            ),
        ),
        Listing(
            "Seed luck and test-set luck",
            (
                "comparison", "95 % CI over seeds × conversations", "s.e. from seeds", "from conversations",
                "remainder", "p, whole conversations swapped",
            ),
            tuple(
                (
                    c.label, _interval(r["crossed_low"], r["crossed_high"]), number(r["se_seed"], 2),
                    number(r["se_conversation"], 2), number(r["se_remainder"], 2), _p(r["p_conversations"]),
                )
                for c, r in zip(contrasts, rows, strict=True)
            ),
        ),
        Listing(
            "Spread over seeds: is the first calmer?",
            (
                "comparison", "sd first", "sd second", "sd ratio", "95 % CI", "p", f"p ({PITMAN_MORGAN_LABEL})",
                "verdict",
            ),
            tuple(
                (
                    c.label, number(r["sd_a"], 2), number(r["sd_b"], 2), number(r["sd_ratio"], 2),
                    _interval(r["sd_ratio_low"], r["sd_ratio_high"]), _p(r["p_spread"]),
                    _p(r["p_pitman_morgan"]), _spread_verdict(c),
                )
                for c, r in zip(contrasts, rows, strict=True)
            ),
            frozenset({"verdict"}),
        ),
    )  # fmt: skip
    return Sheet(
        "comparisons",
        "Comparisons",
        NOTE,
        comparison.data_origin.short,
        comparison.dataset,
        tuple(sentences),
        tuple(listing for listing in listings if listing.rows),
        pd.DataFrame(rows),
    )


def _row(evidence: Evidence, contrast: Contrast) -> dict[str, Any]:
    """Every number of a contrast, in points of F1."""
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
    difference = None
    equivalence = None
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
        **_spread(contrast),
    }


def _unpaired(found: UnpairedComparison, contrast: Contrast) -> dict[str, Any]:
    """What there is without pairs: everything by seed is not available."""
    return dict.fromkeys(NUMBERS, NAN) | WORDS | {
        "n": found.n,
        "n_a": found.n_a,
        "n_b": found.n_b,
        "difference": found.mean,
        "low": found.interval.low,
        "high": found.interval.high,
        "low_90": found.interval_90.low,
        "high_90": found.interval_90.high,
        "p": found.p,
        "p_t": found.p_welch,
        "power": contrast.judgement.numbers.get("power", NAN),
    }  # fmt: skip


CROSSED = (
    "crossed_low", "crossed_high", "crossed_se", "variance_seed", "variance_conversation", "variance_remainder",
    "se_seed", "se_conversation", "se_remainder", "p_conversations",
)  # fmt: skip
SPREAD = ("sd_a", "sd_b", "sd_ratio", "sd_ratio_low", "sd_ratio_high", "p_spread", "p_pitman_morgan")
NUMBERS = (
    "difference", "sd", "low", "high", "low_90", "high_90", "p", "p_t", "p_wilcoxon", "bca_low", "bca_high",
    "d_z", "d_z_low", "d_z_high", "improvement", "improvement_low", "improvement_high", "power", *CROSSED, *SPREAD,
)  # fmt: skip
WORDS = {
    "seeds_for_difference": MISSING, "seeds_for_equivalence": MISSING, "bca_warning": "", "spread_verdict": "",
    "spread_sentence": "",
}  # fmt: skip


def _crossed(evidence: Evidence, contrast: Contrast) -> dict[str, float]:
    """Two sources of chance; the standard error of the difference is about the root of the sum of the three squares."""
    assert contrast.comparison is not None
    seeds = contrast.comparison.seeds
    if not seeds:
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


def _warnings(evidence: Evidence, contrasts: list[Contrast]) -> list[str]:
    comparison = evidence.comparison
    conversations = len(next(iter(evidence.outcomes.values())).counts)
    who = " of two speakers (one session)" if comparison.dataset.startswith("iemocap") else ""
    words = [
        f"Conditional on this test set: {conversations} conversations{who}. Other seeds would meet the same ones, so "
        "p and the t intervals speak of training again, not of other speakers or corpora."
    ]
    tested = [c.comparison for c in contrasts if c.comparison is not None]
    words += session_words(comparison, contrasts)
    if any(c.bca_warning for c in tested):
        words.append(f"BCa intervals are too narrow below {BCA_SEEDS} seeds.")
    if dropped := sorted({seed for c in tested for seed in c.dropped}):
        words.append(f"Without a partner, so in no difference of their method: seeds {', '.join(map(str, dropped))}.")
    return words


def _spread_verdict(contrast: Contrast) -> str:
    """`supported` means: the first method varies less."""
    verdict = contrast.spread_judgement.verdict.value
    cannot_tell = verdict in ("underpowered", "too few seeds")
    return (f"cannot tell: {verdict}" if cannot_tell else verdict) + (" (exploratory)" if contrast.remark else "")


def _needed(seeds: SeedsNeeded | None) -> str:
    if seeds is None:
        return MISSING
    low, high = ("> 10,000" if n is None else str(n) for n in (seeds.low, seeds.high))
    return low if low == high else f"{low} to {high}"


def _interval(low: float, high: float) -> str:
    return MISSING if not np.isfinite([low, high]).all() else f"[{number(low, 2)}, {number(high, 2)}]"


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + number(value, 2)


def _p(value: float) -> str:
    return number(value, 3, tiny=True)


def _percent(share: float) -> str:
    return f"{number(100 * share, 0)} %" if math.isfinite(share) else MISSING


def _count(row: dict[str, Any]) -> str:
    """`10`, or of runs that are not paired `10, 20`."""
    return f"{row['n_a']}, {row['n_b']}" if "n_a" in row else str(row["n"])
