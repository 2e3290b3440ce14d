"""`nox -s calibrate`: measure everything, write docs/calibration.md, fail if a test that feeds verdicts is too bold."""

import argparse
import os
import sys
import time
from pathlib import Path

from reports.statistics.verdicts import Verdict
from tests.calibration import looks, measure, real, sessions

HEAD = """# Calibration of the tests

How often the statistics of `reports/statistics` are wrong where the truth is known. Written by

```bash
{command}
```

on simulated scores: a normal copula with the given correlation between the methods of a training seed, margins normal,
skewed (log-normal, σ = 1) or heavy (Student t, 3 degrees of freedom). Nominal level .05; ± is one Monte Carlo standard
error. Generator seed {seed}; {runs} simulated comparisons or families a cell (four times as many for a single sign flip
and its power, half for what only describes, a quarter for utterances); {seconds:.0f} s of one core.
"""
DECISIVE = """## What feeds verdicts: size without a difference

Has to stay within .05 + 2 standard errors. A cell above it was measured once more with {again} times the runs; that
number stands, the first is in brackets. All flips up to n = 10, {resamples} random ones at n = 20 (variances: all).

A family compares one method with 5 or 20 others; the share is of families with any rejection. Variances: the
permutation test rejects and the interval of the ratio excludes 1, the rule below 50 seeds. Unpaired, for imported
runs: the permutation test of Welch's t, n runs against 8, half as many comparisons; correlation makes it shy.
"""
REAL = """## The same by real runs

{seeds} seeds × two methods that differ in chance alone: one fusion, `linear`, under two draws of its initial weights,
trained on `{corpus}` for {epochs} epochs at width {hidden} through store and workers. Test scores at the
selected epoch, cut into disjoint families of n seeds.

*By seed*: encoder, classifiers, dropout and data order of a seed
are shared; *apart*: the second method has other seeds than the first. ρ: measured correlation of weighted F1. *Two
metrics*: weighted F1 and accuracy as one family. At most: .05 + 2 standard errors of so few families.
"""
DESCRIPTIVE = """## What only describes

Size of tests, and share of 95 % intervals that miss, correlation .5. *Skewed differences*: skew-normal (shape 8) around
0, for a paired difference of two unlike methods need not be symmetric.
"""
MANY = """## Variances from 50 seeds on

There the permutation test decides alone: its size at n = 60, correlation .5.
"""
FLIPS = """## Flips of conversations and of utterances

Two equally good methods whose hits cluster in 31 conversations of 20 utterances: size of the flip test.
"""
POWER = """## Power against planted differences

d_z: mean over sd of the one planted difference. Predicted: `power`, at the attained level or the family's own.
"""
VERDICTS = """## Verdicts

Shares in %, one comparison, sd 1, true difference 0 or the margin. Wrong: *supported* or *contradicted* at 0; *shown
equal* or *within the margin* at the margin. The claim has a direction, so half of the wrong at 0 are *supported*.
"""
SESSIONS = """## Seeds that share a held-out session

On IEMOCAP the session that a run holds out is seed mod 4, so two seeds of a session have something in common.
Differences with that intra-session correlation ρ, normal, sd 1; the mean of the four session means with t of these
(3 degrees of freedom; Ibragimov & Müller, 2010), its p from flips of single seeds.

{runs} comparisons or families a
cell: *one* comparison, a *family of 5*, the 95 % *interval* missing 0, and, as a warning, one comparison with the
sessions *ignored*. At ρ = .6 a family is a little too bold: there the sessions are nearly all there is.
"""
SPREADS = """The spread over such seeds, of two methods that vary alike, normal: wrong verdicts by the jackknife that
leaves out whole sessions (3 degrees of freedom) with flips on t of the session means, and with the sessions *ignored*.
{runs} comparisons a cell.
"""
SHARED_RATES = """Shares of runs to which something happens, as often to both methods, over such seeds: wrong verdicts
by flips on t of the session means, misses of the *interval* that counts runs by the spread of the sessions' shares
(Korn & Graubard, 1998), and wrong verdicts with the sessions *ignored*. ρ is that of the normal scores behind the
events. {runs} comparisons a cell.
"""
EXTENSIONS = """## Extending a declaration that could reject nothing

Two equal methods, normal differences; five seeds have been looked at, with which nothing can be rejected. {runs:,}
plans a line. *Adversarial*: 8 seeds where the five promise a rejection, else 20.
"""

LOOKS = """## Until it is decided

Looks at 8, 12, 16, 20 and 30 seeds, {runs:,} families of five comparisons a cell, margin δ of one sd of a difference,
{resamples} flips beyond 16 seeds. *Any rejection*: where nothing differs. *False equality*: of one comparison, where
all differ by δ. *Misses*: any repeated interval of the family does not hold the truth. At most {bound:.3f}.
"""
LOOK_SESSIONS = """The same where seeds share held-out sessions, with intra-session correlation ρ:
"""
LOOK_SEEDS = """Seeds and decisions of one comparison, normal, {runs:,} families a line. *Fixed*: the share that {fixed}
seeds and one t test would call different, always at the price of {fixed} seeds.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--real-seeds", type=int, default=800, help="0: no real runs")
    parser.add_argument("--real-store", type=Path, default=Path("cssbench-calibration"), help="holds the real runs")
    parser.add_argument("--out", type=Path, default=Path("docs/calibration.md"))
    arguments = parser.parse_args()
    runs, seed = arguments.runs, arguments.seed
    start = time.process_time()

    decisive = list(measure.decisive_sizes(runs, seed))
    shown = {}
    for row in decisive:
        value = f"{row['share']:.3f} ± {row['se']:.3f}" + (f" ({row['first']:.3f})" if "first" in row else "")
        shown.setdefault((row["test"], row["n"], row["scores"]), []).append(value)
    sections = [
        DECISIVE.format(again=measure.AGAIN, resamples=measure.RESAMPLES),
        table(
            ["test", "n", "scores", *(f"ρ = {c:g}" for c in measure.CORRELATIONS)], [[*k, *v] for k, v in shown.items()]
        ),
    ]

    if arguments.real_seeds:
        scores = real.make(arguments.real_store, arguments.real_seeds, os.cpu_count() or 1)
        rows = list(real.sizes(scores))
        decisive += rows
        lines = [
            [
                r["test"],
                r["seeds"],
                f"{r['correlation']:.2f}",
                r["n"],
                r["families"],
                shown_share(r),
                round(r["bound"], 3),
            ]
            for r in rows
        ]
        sections += [
            REAL.format(seeds=arguments.real_seeds, corpus=real.CORPUS, **real.TRAINING),
            table(["test", "seeds", "ρ", "n", "families", "share", "at most"], lines),
        ]

    shown = {}
    for row in measure.descriptive(runs // 2, seed):
        shown.setdefault((row["what"], row["scores"]), []).append(f"{row['share']:.3f} ± {row['se']:.3f}")
    lines = [[*k, *v] for k, v in sorted(shown.items(), key=lambda item: item[0][0])]
    sections += [DESCRIPTIVE, table(["", "scores", "n = 5", "n = 8", "n = 10", "n = 20"], lines)]

    many = list(measure.variances_of_many_seeds(runs, seed))
    sections += [MANY, table(["scores", "size"], [[r["scores"], f"{r['share']:.3f} ± {r['se']:.3f}"] for r in many])]

    flips = measure.utterance_flips(runs // 4, seed)
    sections += [
        FLIPS,
        table(["flipped", "size"], [[r["flipped"], f"{r['share']:.3f} ± {r['se']:.3f}"] for r in flips]),
    ]

    power = list(measure.power_against_planted(runs, seed))
    lines = [
        [r["family"], r["n"], r["d_z"], f"{r['predicted']:.3f}", f"{r['share']:.3f} ± {r['se']:.3f}"] for r in power
    ]
    sections += [POWER, table(["family", "n", "d_z", "predicted", "measured"], lines)]

    verdicts = list(measure.verdicts(runs, seed))
    kinds = [v for v in Verdict if any(row[v] for row in verdicts)]
    wrong = list(measure.wrong_verdicts(verdicts))
    lines = [
        [r["n"], r["margin"], r["truth"], *(f"{100 * r[v]:.1f}" for v in kinds), f"{100 * w:.1f}"]
        for r, (w, _) in zip(verdicts, wrong, strict=True)
    ]
    sections += [VERDICTS, table(["n", "margin", "truth", *(v.value for v in kinds), "wrong"], lines)]

    by_cell = {}
    for row in sessions.session_sizes(runs // 3, seed):
        by_cell.setdefault((row["n"], row["correlation"]), []).append(shown_share(row))
        if not row.get("warning"):
            decisive.append(row)
    lines = [[n, f"{correlation:g}", *shares] for (n, correlation), shares in by_cell.items()]
    sections += [SESSIONS.format(runs=runs // 3), table(["n", "ρ", "one", "family of 5", "interval", "ignored"], lines)]

    by_cell = {}
    for row in sessions.spread_sizes(runs // 3, seed):
        by_cell.setdefault((row["n"], row["correlation"]), []).append(shown_share(row))
        if not row.get("warning"):
            decisive.append(row)
    lines = [[n, f"{correlation:g}", *shares] for (n, correlation), shares in by_cell.items()]
    sections += [SPREADS.format(runs=runs // 3), table(["n", "ρ", "by session", "ignored"], lines)]

    by_cell = {}
    for row in sessions.shared_rate_sizes(runs // 3, seed):
        by_cell.setdefault((row["n"], row["correlation"], row["rate"]), []).append(shown_share(row))
        if not row.get("warning"):
            decisive.append(row)
    lines = [[n, f"{correlation:g}", f"{rate:g}", *shares] for (n, correlation, rate), shares in by_cell.items()]
    header = ["n", "ρ", "rate", "by session", "interval", "ignored"]
    sections += [SHARED_RATES.format(runs=runs // 3), table(header, lines)]

    rows = list(sessions.extension_sizes(runs, seed))
    decisive += rows
    lines = [[row["rule"], shown_share(row)] for row in rows]
    sections += [EXTENSIONS.format(runs=runs), table(["extended", "size"], lines)]

    few = runs // 3
    by_cell = {}
    for row in looks.error_rates(few, seed):
        by_cell.setdefault((row["spending"], row["scores"], f"{row['correlation']:g}"), []).append(shown_share(row))
        decisive.append(row)
    kinds = ["any rejection", "false equality", "misses 0", "misses δ"]
    sections += [
        LOOKS.format(runs=few, resamples=looks.RESAMPLES, bound=row["bound"]),
        table(["spending", "scores", "ρ", *kinds], [[*cell, *shares] for cell, shares in by_cell.items()]),
    ]
    by_cell = {}
    for row in looks.session_error_rates(few, seed):
        by_cell.setdefault((row["spending"], f"{row['correlation']:g}"), []).append(shown_share(row))
        decisive.append(row)
    sections += [
        LOOK_SESSIONS,
        table(["spending", "ρ", *kinds[:3]], [[*cell, *shares] for cell, shares in by_cell.items()]),
    ]
    columns = ("rejected", "shown equal", "futile", "open", "fixed")
    lines = [
        [r["spending"], f"{r['truth']:g} δ", f"{r['seeds']:.1f}", *(f"{r[c]:.3f}" for c in columns)]
        for r in looks.seeds_and_power(few, seed)
    ]
    sections += [
        LOOK_SEEDS.format(runs=few, fixed=looks.FIXED),
        table(["spending", "true difference", "mean seeds", *columns], lines),
    ]

    head = HEAD.format(
        command=f"nox -s calibrate -- --runs {runs} --seed {seed} --real-seeds {arguments.real_seeds}",
        seed=seed,
        runs=f"{runs:,}",
        seconds=time.process_time() - start,
    )
    arguments.out.write_text("\n".join([head, *sections]), encoding="utf-8")
    bold = [row for row in decisive if row["share"] > row["bound"]]
    bold += [row for row, (w, bound) in zip(verdicts, wrong, strict=True) if w > bound]
    for row in bold:
        print(f"above its bound: {row}", file=sys.stderr)
    return 1 if bold else 0


def shown_share(row):
    return f"{row['share']:.3f} ± {row['se']:.3f}"


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
