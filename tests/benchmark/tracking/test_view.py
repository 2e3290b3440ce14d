import json

from benchmark.tracking import view


def test_the_view_is_the_same_for_an_address_and_for_the_menu_of_views() -> None:
    """Addresses read the tag itself, the menu what the tag has under "state"."""
    opened = json.loads(view.tags()["mlflow.sharedViewState.css-bench"])
    listed = json.loads(opened.pop("state"))
    assert opened.pop("name") == "css-bench"
    assert isinstance(opened.pop("createdAt"), int)
    assert listed == opened
    assert opened["selectedColumns"][0] == opened["orderByKey"] == "metrics.`test/selected/weighted_f1`"


def test_an_address_names_the_view_only_where_there_is_one() -> None:
    with_view, without = (view.address("http://host", "7", has_view=has_view) for has_view in (True, False))
    assert without == "http://host/#/experiments/7/runs?workflowType=machine_learning"
    assert with_view == f"{without}&viewStateShareKey=css-bench"
