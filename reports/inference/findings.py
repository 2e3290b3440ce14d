"""What one data set shows, in plain sentences made from its numbers: the verdicts first."""

from collections import Counter

import numpy as np

from reports.evidence.comparisons import Comparison
from reports.evidence.evidence import Evidence
from reports.evidence.summaries import summary
from reports.inference import imported as imports
from reports.inference.contrast import Contrast, Inference
from reports.inference.scores import measure_of
from reports.inference.single_streams import stream_words
from reports.statistics import Summary, Verdict, smallest_p
from reports.text import counted, number

PUBLISHED = (
    "published protocol: best test epoch, no result. No validation data were held out, so no epoch could be selected "
    "without the test set. These runs are in no comparison and no verdict"
)
SENTENCES = 8  # verdicts told in words; the table has all
LEVEL = 0.05
TEST_SEEDS = 8  # below this no test is reported, whatever 2 / 2ⁿ allows


def findings(evidence: Evidence, inference: Inference) -> list[str]:
    """Sentences about weighted F1 on the test set: the verdicts, the best mean, the gap, what was not run."""
    comparison = evidence.comparison
    if not comparison.validated:
        return [f"{PUBLISHED[0].upper()}{PUBLISHED[1:]}."]
    ranked = comparison.methods or comparison.imported
    means = {m.label: summary(evidence, m.label, measure_of(m)) for m in ranked}
    best = max(means, key=lambda label: means[label].mean)
    sentences = _verdicts(inference.of(comparison.dataset))
    where = " at the selected epoch" if comparison.methods else ""
    sentences += [f"Highest mean weighted F1{where}: {best}, {_percent(means[best])}."]
    if (ceiling := comparison.first.ceiling) is not None:
        reached = 100 * ceiling["test_weighted_f1"]
        room = reached - 100 * means[best].mean
        sentences.append(
            f"The best rule that knows how these data are made reaches {number(reached, 1)} % on this test set, "
            f"{number(abs(room), 1)} points {'more' if room >= 0 else 'less'}."
        )
    sentences += _references(comparison, {label: 100 * mean.mean for label, mean in means.items()})
    encoders: dict[str, list[str]] = {}
    for m in comparison.methods:
        encoders.setdefault(str(m.runs[0].spec["encoder"].get("name")), []).append(m.label)
    if len(encoders) > 1:
        who = "; ".join(f"{name}: {', '.join(labels)}" for name, labels in encoders.items())
        sentences.append(
            f"Not all methods have the same encoder ({who}). A difference between methods of different encoders is not "
            "one of fusion or aggregator alone."
        )
    if tuned := [f"{m.label} from study {m.runs[0].tuned['study']}" for m in comparison.methods if m.runs[0].tuned]:
        sentences.append(
            f"Tuned settings: {', '.join(tuned)} (tuning.html). A tuned method beside a default one shows what tuning "
            "gives, not what the method does."
        )
    chosen = [m for m in comparison.shown if m.by_epoch]
    gaps = [summary(evidence, m.label, "gap").mean for m in chosen]
    if gaps:
        low, high = (number(100 * gap, 1) for gap in (min(gaps), max(gaps)))
        sentences.append(
            f"Choosing the epoch on the test set would have shown {low}{f' to {high}' if len(gaps) > 1 else ''} points "
            "more (mean over seeds, by method). That is the gap between peak test and selected, not a gain."
        )
    if alone := imports.uncompared(evidence):
        sentences.append(alone)
    diverged = {m.label: int(evidence.values(m.label, "diverged").sum()) for m in comparison.methods}
    if any(diverged.values()):
        counts = ", ".join(f"{label} {count} of {means[label].n}" for label, count in diverged.items() if count)
        sentences.append(f"Diverged: {counts}; their scores are in the means.")
    sentences += stream_words(comparison)
    sentences += imports.sentences(comparison)
    if comparison.refits:
        sentences.append(_refits(comparison))
    missing = [
        f"{m.label} ({len(m.runs)} of {len(comparison.seeds)})"
        for m in comparison.methods
        if len(m.runs) < len(comparison.seeds)
    ]
    if missing:
        sentences.append(f"Not every seed has been run: {', '.join(missing)}. Differences use common seeds only.")
    return sentences


def power_statement(evidence: Evidence) -> str:
    """How many seeds there are, and what they can and cannot settle."""
    if not evidence.comparison.validated:
        return "No result: nothing is estimated or tested here."
    n = min(len(method.runs) for method in evidence.comparison.methods or evidence.comparison.imported)
    p = smallest_p(n)
    seeds = counted(n, "seed")
    power = str(n).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    floor = f"The smallest p an exact sign-flip test of paired differences can reach is 2/2{power} = {p:.3g}."
    intervals = "Intervals hold one at a time: they are not adjusted for the number of comparisons."
    if n >= TEST_SEEDS:
        return (
            f"Verdicts over {seeds} rest on p adjusted for the declared family, and on the margin. {floor} {intervals}"
        )
    test = "possible" if p > LEVEL else f"made below {TEST_SEEDS}"
    return (
        f"Estimation only: with {seeds} no test is {test}. {floor} "
        + ("One seed has no spread, so there is no interval." if n == 1 else intervals)
        + f" A test needs {TEST_SEEDS} seeds: {more_seeds(evidence.comparison)}."
    )


def more_seeds(comparison: Comparison) -> str:
    """What adds the seeds that are missing for a test, and how long that takes."""
    if not comparison.methods:
        return f"import as many runs of every method, cssbench import-predictions --dataset '{comparison.dataset}'"
    return f"the same command with --seeds {TEST_SEEDS} adds them, {work_left(comparison)}"


def work_left(comparison: Comparison) -> str:
    """How long the runs that are missing for a test take, by the time of those that are there."""
    seconds = sum(
        max(0, TEST_SEEDS - len(method.runs)) * float(np.mean([run.number("timings", "total") for run in method.runs]))
        for method in comparison.methods
    )
    time = f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"
    return f"about {time} of work for one worker"


def _verdicts(contrasts: list[Contrast]) -> list[str]:
    """How many verdicts of which kind, then each in words."""
    sentences = []
    for kind, chosen in (
        ("Declared", [c for c in contrasts if not c.remark]),
        ("Exploratory", [c for c in contrasts if c.remark]),
    ):
        counts = Counter(c.judgement.verdict for c in chosen)
        if chosen:
            told = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])
            noun = "comparison" if len(chosen) == 1 else "comparisons"
            sentences.append(f"{kind}: {len(chosen)} {noun} in weighted F1: {told}.")
    sentences += [_in_words(contrast) for contrast in contrasts[:SENTENCES]]
    if len(contrasts) > SENTENCES:
        sentences.append(f"{len(contrasts) - SENTENCES} more are in the table of comparisons.")
    return sentences


def _in_words(contrast: Contrast) -> str:
    """The sentence of the verdict."""
    sentence = contrast.judgement.sentence
    return f"{sentence[:-1]} (exploratory)." if contrast.remark else sentence


def _references(comparison: Comparison, means: dict[str, float]) -> list[str]:
    """What the references reach, and which methods do not exceed a logistic regression."""
    run = comparison.first
    if run.logistic is None:
        return []
    reached = 100 * run.logistic["weighted_f1"]
    majority = "".join(
        f", the most frequent class {number(100 * each['weighted_f1'], 1)} %"
        for each in run.references
        if each["name"] == "majority"
    )
    behind = [label for label, mean in means.items() if mean <= reached]
    if not behind:
        beside = "Every method exceeds it in the mean."
    elif len(behind) == len(means):
        beside = "No method exceeds it in the mean."
    else:
        beside = f"These do not exceed it in the mean: {', '.join(behind)}."
    return [f"A logistic regression on single utterances reaches {number(reached, 1)} %{majority}. {beside}"]


def _refits(comparison: Comparison) -> str:
    epochs = ", ".join(
        f"{m.label} {m.refits[0].spec['training']['epochs']} "
        f"(mean selected {number(m.refits[0].spec['refit_of']['mean'], 1)})"
        for m in comparison.methods
        if m.refits
    )
    partly = [
        f"{m.label} ({len(m.refits)} of {len(m.runs)})" for m in comparison.methods if len(m.refits) < len(m.runs)
    ]
    return (
        "Refit: trained on training and validation data for the mean epoch that the method's seeds selected, rounded: "
        f"epochs {epochs}. Nothing was selected in these runs: the score is the last epoch's, paired by seed with the "
        "selected one. They see more data than the validated runs, so the two are not averaged, and their difference "
        "is not the method's."
    ) + (f" Not every run has a refit: {', '.join(partly)}." if partly else "")


def _percent(summary: Summary) -> str:
    mean = f"{number(100 * summary.mean, 1)} %"
    return mean if summary.n < 2 else f"{number(100 * summary.mean, 1)} ± {number(100 * summary.sd, 1)} %"
