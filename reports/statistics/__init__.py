"""Statistics over runs. The unit of replication is the run (the seed): steps of one run are no sample.

Numbers in, numbers out: nothing here knows of runs, tables or pages. One concept a file.
"""

from reports.statistics.best_of import expected_best_of
from reports.statistics.conjunction import conjunction, counts_in_words
from reports.statistics.counts import confusions
from reports.statistics.crossed import conversation_flip_test, crossed_bootstrap, variance_components
from reports.statistics.factorial import factorial_effects
from reports.statistics.family import FamilyTest, adjust_family, holm
from reports.statistics.groups import intraclass_correlation
from reports.statistics.paired import PairedComparison, from_differences, paired_comparison
from reports.statistics.pairing import align
from reports.statistics.power import seeds_for_difference, seeds_for_equivalence
from reports.statistics.ranks import rank_methods
from reports.statistics.rates import RateComparison, judge_rates, rate_comparison
from reports.statistics.selection import best_of_seeds, rankings, selection_gap
from reports.statistics.sign_flips import smallest_p
from reports.statistics.summary import Summary, mean_known, share_below, summarize, variance_over_runs
from reports.statistics.unpaired import UnpairedComparison, unpaired_comparison
from reports.statistics.variances import VarianceComparison, compare_variances, judge_variances
from reports.statistics.verdicts import Judgement, Verdict, judge, judge_unpaired, not_testable, overruled

__all__ = [
    "FamilyTest",
    "Judgement",
    "PairedComparison",
    "RateComparison",
    "Summary",
    "UnpairedComparison",
    "VarianceComparison",
    "Verdict",
    "adjust_family",
    "align",
    "best_of_seeds",
    "compare_variances",
    "confusions",
    "conjunction",
    "conversation_flip_test",
    "counts_in_words",
    "crossed_bootstrap",
    "expected_best_of",
    "factorial_effects",
    "from_differences",
    "holm",
    "intraclass_correlation",
    "judge",
    "judge_rates",
    "judge_unpaired",
    "judge_variances",
    "mean_known",
    "not_testable",
    "overruled",
    "paired_comparison",
    "rank_methods",
    "rankings",
    "rate_comparison",
    "seeds_for_difference",
    "seeds_for_equivalence",
    "selection_gap",
    "share_below",
    "smallest_p",
    "summarize",
    "unpaired_comparison",
    "variance_components",
    "variance_over_runs",
]
