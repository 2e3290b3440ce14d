"""`nox -s calibrate`: measure everything, write docs/calibration.md, fail if a test that feeds verdicts is too bold."""

import argparse
import os
import sys
import time
from pathlib import Path

from reports.statistics.verdicts import Verdict
from tests.calibration import looks, measure, real, sessions

HEAD = """# Calibration of the tests

How often are the statistics of `reports/statistics` wrong where the truth is known? This page is written by

```bash
{command}
```

It uses simulated scores: a normal copula with the given correlation between the methods of a training seed, and
margins that are normal, skewed (log-normal, σ = 1) or heavy-tailed (Student's t, 3 degrees of freedom). The nominal
level is .05; ± is one Monte Carlo standard error. Generator seed {seed}; {runs} simulated comparisons or families a
cell (four times as many for a single sign flip and its power, half as many for what only describes, a quarter for
utterances); {seconds:.0f} s of one core, {date}.
"""
DECISIVE = """## What feeds verdicts: size without a difference

The size of each test has to stay within .05 + 2 standard errors. A cell above that was measured once more with {again}
times the runs: the second number stands, and the first is in brackets. All flips are counted up to n = 10, and
{resamples} random ones at n = 20.

A family compares one method with 5 or 20 others; its share is that of families with any rejection. Variances are
called different if the permutation test rejects and the interval of the ratio excludes 1, which is the rule below 50
seeds. The unpaired test, for imported runs, is the permutation test of Welch's t, with n runs against 8 and half as
many comparisons; correlation makes it conservative.
"""
REAL = """## The same by real runs

{seeds} seeds × two methods that differ only by chance: the fusion `linear` under two draws of its initial weights,
trained on `{corpus}` for {epochs} epochs at width {hidden} through store and workers. The test scores at the selected
epoch are cut into disjoint families of n seeds.

*By seed*: both methods have the same seeds, and so the same initial encoder and classifiers, dropout and data order;
*apart*: the second method has other seeds than the first. ρ is the measured correlation of weighted F1. *Two metrics*:
weighted F1 and accuracy as one family. *At most* is .05 + 2 standard errors of so few families.
"""
DESCRIPTIVE = """## What only describes

These statistics decide no verdict. The table has the size of tests, and the share of 95 % intervals that miss the
truth, at correlation .5. *Skewed differences* are skew-normal (shape 8) with mean 0, because the paired difference of
two unlike methods need not be symmetric.
"""
MANY = """## Variances from 50 seeds on

From 50 seeds on the permutation test decides alone. This is its size at n = 60, correlation .5.
"""
FLIPS = """## Flips of conversations and of utterances

The hits of two equally good methods cluster in 31 conversations of 20 utterances. This is the size of the flip test.
"""
POWER = """## Power against planted differences

d_z is the mean of the one planted difference over its sd. *Predicted* is what `power` gives at the attained level of
the test, for a family at the family's own level.
"""
VERDICTS = """## Verdicts

Shares in % for one comparison with sd 1, where the true difference is 0 or the margin. Wrong verdicts are *supported*
and *contradicted* at 0, and *shown equal* and *different, but within the margin* at the margin. The claim has a
direction, so half of the wrong verdicts at 0 are *supported*.
"""
SESSIONS = """## Seeds that share a held-out session

On IEMOCAP the session that a run holds out is seed mod 4, so two seeds of a session have something in common. The
simulated differences have this intra-session correlation ρ; they are normal with sd 1. They are tested by the mean of
the four session means with its t (3 degrees of freedom; Ibragimov & Müller, 2010), whose p comes from flips of single
seeds.

{runs} comparisons or families a cell: *one* comparison, a *family of 5*, the 95 % *interval* missing 0, and, as a
warning, one comparison with the sessions *ignored*. At ρ = .6, where nearly all variation is between sessions, a
family is a little too bold.
"""
SPREADS = """Over such seeds, two methods with normal scores vary alike. The table has wrong verdicts about their
spread by the jackknife that leaves out whole sessions (3 degrees of freedom) with flips on t of the session means, and
wrong verdicts with the sessions *ignored*. {runs} comparisons a cell.
"""
SHARED_RATES = """Over such seeds, something happens to runs of both methods equally often. The table has wrong
verdicts about the shares of these runs by flips on t of the session means, misses of the *interval* that counts runs
by the spread of the sessions' shares (Korn & Graubard, 1998), and wrong verdicts with the sessions *ignored*. ρ is the
correlation of the normal scores behind the events. {runs} comparisons a cell.
"""
EXTENSIONS = """## Extending a declaration that could reject nothing

Two equal methods have normal differences, and five seeds, with which nothing can be rejected, have been looked at.
{runs:,} plans a line. *Adversarial*: 8 seeds where the five promise a rejection, else 20.
"""

LOOKS = """## Until it is decided

Families of five comparisons are judged at looks after 8, 12, 16, 20 and 30 seeds: {runs:,} families a cell, with a
margin δ of one sd of a difference and {resamples} flips beyond 16 seeds. *Any rejection*: of any comparison, where
none differs. *False equality*: of one comparison, where all differ by δ. *Misses*: any repeated interval of the family
misses the truth, which is 0 or δ. Each share may be at most {bound:.3f}.
"""
LOOK_SESSIONS = """The same where seeds share held-out sessions, with intra-session correlation ρ:
"""
LOOK_SEEDS = """The table has seeds and decisions of one comparison with normal scores, {runs:,} families a line.
*Fixed* is the share that one t test of {fixed} seeds would call different, always at the price of {fixed} seeds.
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
        date=time.strftime("%Y-%m-%d"),
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
