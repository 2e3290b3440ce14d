"""``nox -s controls``: experiments whose outcome is known. They are named control_*.py, which ordinary tests are not.

``$CSSBENCH_CONTROLS`` names the folder of runs and results; without it that is ``cssbench-controls``.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controls.laboratory import Laboratory

FOLDER = Path(os.environ.get("CSSBENCH_CONTROLS", "cssbench-controls"))


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[None]:
    """Ceilings are kept beside the runs, so that a second call computes nothing."""
    with pytest.MonkeyPatch.context() as patch:
        kept = any(item.path.name.startswith("control_") for item in request.session.items)
        patch.setenv("CSSBENCH_CACHE", str(FOLDER.absolute() / "cache" if kept else tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def laboratory() -> Laboratory:
    return Laboratory(FOLDER)
