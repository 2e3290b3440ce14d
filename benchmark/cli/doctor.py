"""``cssbench doctor``: what works here, and what to do about the rest."""

from typing import Annotated

import typer

from benchmark.cli.display.lines import tell
from benchmark.cli.options import DONE, FAILED, STORE, StoreOption

app = typer.Typer()


@app.command()
def doctor(
    store: StoreOption = STORE,
    tracking_uri: Annotated[
        str | None, typer.Option("--tracking-uri", metavar="URI", help="Where MLflow is; as for cssbench run.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: a list of checks.")] = False,
) -> None:
    """Look at versions, extras, devices, threads, cache, store and tracking, and say what to do about what is wrong.

    Nothing is made, and a server has seconds to answer. Exits with 1 where something is broken; an extra that is not
    installed is not.
    """
    import json
    from dataclasses import asdict

    from benchmark.workflows.doctor import examine

    checks = list(examine(store, tracking_uri))
    if as_json:
        tell(json.dumps([asdict(check) for check in checks], indent=1))
    else:
        for check in checks:
            sign = "✗" if check.is_broken else "!" if check.remedy else "✓"
            tell(f"{sign} {check.name}: {check.sentence}{f' → {check.remedy}' if check.remedy else ''}")
    raise typer.Exit(FAILED if any(check.is_broken for check in checks) else DONE)
