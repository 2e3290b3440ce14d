"""The options that commands share, and the exit codes."""

from pathlib import Path
from typing import Annotated, Any

import typer

from benchmark.workflows.defaults import STORE as STORE

DONE, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130

COMPARED, BUDGET, PLACES = "What is compared", "Instead of the preset's settings", "Where, and on what"


def _option(panel: str, *names: str, metavar: str | None = None, default: str | bool = True, **more: Any) -> Any:
    return typer.Option(*names, metavar=metavar, rich_help_panel=panel, show_default=default, **more)


StoreOption = Annotated[
    Path,
    _option(
        PLACES,
        "--store",
        metavar="FOLDER",
        envvar="CSSBENCH_STORE",
        help="Holds the runs; finished ones are never run again.",
    ),
]
DataOption = Annotated[
    Path | None,
    _option(
        PLACES,
        "--data-dir",
        metavar="FOLDER",
        envvar="CSSBENCH_DATA",
        help="Holds the community's feature files, and corpora of your own (docs/your-corpus.md).",
    ),
]
ReportOption = Annotated[
    Path | None,
    _option(PLACES, "--report", metavar="FOLDER", default="STORE/report", help="Gets the report."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]
PresetOption = Annotated[
    str,
    _option(
        COMPARED,
        "--preset",
        metavar="NAME|FILE.toml",
        help="Budget: smoke, quick, full, paper (see cssbench presets), or a file of your own (docs/settings.md).",
    ),
]
DatasetsOption = Annotated[
    str | None,
    _option(
        COMPARED,
        "--datasets",
        metavar="A,B",
        default="the feature files in --data-dir; without one, the simulated pair",
        help="Of iemocap, meld, iemocap-sim, meld-sim, iemocap-sim-hard, meld-sim-hard; the simulated ones with knobs, "
        "as in meld-sim(conflict_rate=0.5). Or a corpus of your own, with meld's settings: NAME of NAME.safetensors in "
        "--data-dir, or the path of such a file (docs/your-corpus.md).",
    ),
]
MethodsOption = Annotated[
    str | None,
    _option(
        COMPARED,
        "--methods",
        metavar="A,B",
        default="css,adam,concat,concat+pgm,pcgrad,tensor,linear",
        help="A name (see cssbench methods) or FUSION+AGGREGATOR, with options as in spf(order=2)+pgm; if need be "
        "ENCODER/ before it and /OBJECTIVES after it.",
    ),
]
GridOption = Annotated[
    str | None,
    _option(
        COMPARED,
        "--grid",
        metavar="NAME",
        help="Instead of --methods: ablation (of the modalities in the data), sensitivity, rank-order, or factorial "
        "(--fusions × --aggregators).",
    ),
]
FusionsOption = Annotated[str | None, _option(COMPARED, "--fusions", metavar="A,B", help="Of the factorial grid.")]
AggregatorsOption = Annotated[
    str | None, _option(COMPARED, "--aggregators", metavar="A,B", help="Of the factorial grid.")
]
TunedOption = Annotated[
    str | None,
    _option(
        COMPARED,
        "--tuned",
        metavar="A,B",
        help="Also the best settings of these studies of cssbench tune (of NAME#7: of trial 7); without --datasets "
        "and --methods those of the studies.",
    ),
]
RawScaleOption = Annotated[
    bool, _option(COMPARED, "--raw-scale", help="Aggregators keep their published scale instead of Σγ = 1.")
]
PluginOption = Annotated[
    list[str] | None,
    _option(
        COMPARED,
        "--plugin",
        metavar="MODULE:CLASS",
        help="A fusion or aggregator of your own, named as its class (docs/plugins.md); may be given again.",
    ),
]
SeedsOption = Annotated[
    str | None,
    _option(
        COMPARED,
        "--seeds",
        metavar="N|A,B",
        default="the preset's",
        help="A count (5: seeds 0 to 4) or a list (3,7,11).",
    ),
]
UntilDecidedOption = Annotated[
    bool,
    _option(
        COMPARED,
        "--until-decided",
        help="Make seeds, and judge at looks, until every comparison is decided (docs/until-decided.md).",
    ),
]
LooksOption = Annotated[
    str | None,
    _option(
        COMPARED,
        "--looks",
        metavar="N,N",
        default="8,12,16,20,30",
        help="With --until-decided: after how many seeds it judges; the last is the most that it makes.",
    ),
]
SpendingOption = Annotated[
    str | None,
    _option(
        COMPARED,
        "--spending",
        metavar="NAME",
        default="obrien-fleming",
        help="With --until-decided: obrien-fleming spends little of the error on early looks, pocock as much as on "
        "late ones.",
    ),
]
ProtocolOption = Annotated[
    str,
    _option(
        COMPARED,
        "--protocol",
        metavar="NAME",
        help="validated: the published split, epochs chosen on validation data. sessions: every session of the corpus "
        "is the test set of one run a seed, the next one validates, scores are pooled over these folds. published: no "
        "validation data, the published seed unless --seeds names others, the best test epoch shown; no result, and "
        "in no comparison.",
    ),
]
MarginOption = Annotated[
    float | None,
    _option(
        COMPARED,
        "--margin",
        metavar="F1",
        default="0.5; the smallest of the data sets' own, where the preset gives them one",
        help="Points of weighted F1 below which a difference does not matter; declared before the runs.",
    ),
]
ContrastsOption = Annotated[
    str | None,
    _option(
        COMPARED,
        "--contrasts",
        metavar="A:B,C:D",
        default="css against each other method",
        help="The comparisons that are tested, as one family; declared before the runs.",
    ),
]
ModalitiesOption = Annotated[
    str | None,
    _option(
        COMPARED,
        "--modalities",
        metavar="A,B",
        default="all three",
        help="Of text, audio, visual: what every method sees.",
    ),
]
TextViewOption = Annotated[
    str | None,
    _option(
        COMPARED,
        "--text-view",
        metavar="NAME",
        default="1",
        help="Of a feature file's views of the text: 1, 2, 3, 4, mean or concat.",
    ),
]
DropDefectsOption = Annotated[
    str | None,
    _option(
        COMPARED,
        "--drop-defects",
        metavar="A,B|all",
        default="none: data are used as they are",
        help="Remedies for defects that the audit finds: zero-non-finite, drop-copied-conversations, zero-leaked.",
    ),
]
EncoderOption = Annotated[
    str,
    _option(COMPARED, "--encoder", metavar="NAME", help="Encoder of all methods that name none: paper or released."),
]
RankOption = Annotated[int | None, _option(BUDGET, "--rank", metavar="R", help="Rank of SPF.")]
OrderOption = Annotated[int | None, _option(BUDGET, "--order", metavar="P", help="Polynomial order of SPF.")]
TrackingOption = Annotated[
    str | None,
    _option(
        PLACES,
        "--tracking-uri",
        metavar="URI",
        default="$MLFLOW_TRACKING_URI, else a database in the store",
        help="MLflow server.",
    ),
]
DeviceOption = Annotated[str, _option(PLACES, "--device", metavar="NAME", help="auto, cpu or cuda.")]
WorkersOption = Annotated[
    int | None,
    _option(PLACES, "--workers", metavar="N", default="all cores", help="Worker processes, one thread each."),
]
TimeoutOption = Annotated[
    float | None,
    _option(
        PLACES,
        "--run-timeout",
        metavar="SECONDS",
        default="none",
        help="A run that finishes no epoch for so long is taken for hung.",
    ),
]
