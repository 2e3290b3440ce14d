"""How MLflow's pages show an experiment: as a table of the runs with their scores, a group a method with its mean.

MLflow keeps a view of its run table in a tag of the experiment and opens it where an address names the view.
"""

import json

PREFIX = "css-bench/"
"""How the names of the experiments begin; a data set's name follows."""
SCORE = "test/selected/weighted_f1"
"""The metric that runs are sorted by."""
NAME = "css-bench"
"""The view's name."""
TAG = f"mlflow.sharedViewState.{NAME}"
"""The experiment's tag that holds the view."""
REPLICATES = "replicates"
"""The tag of a run that names what only its seed tells apart: its method, its preset, and its group."""

_COLUMNS = tuple(f"metrics.`{name}`" for name in (SCORE, "validation/selected/weighted_f1"))


def tags() -> dict[str, str]:
    """The tags of an experiment that its pages follow."""
    state = {
        "selectedColumns": _COLUMNS,
        "orderByKey": _COLUMNS[0],
        "orderByAsc": False,
        "groupBy": {"aggregateFunction": "average", "groupByKeys": [{"mode": "tag", "groupByData": REPLICATES}]},
    }
    listed = {"name": NAME, "createdAt": 0, "state": json.dumps(state)}  # as the menu of views reads the same tag
    return {TAG: json.dumps(state | listed)}


def address(server: str, experiment: str, *, has_view: bool) -> str:
    """The address of an experiment's run table."""
    page = f"{server}/#/experiments/{experiment}/runs?workflowType=machine_learning"
    return f"{page}&viewStateShareKey={NAME}" if has_view else page
