"""Shapes and types are checked while tests run, but not while they are timed."""

import os
import signal
import sys

import pytest
from hypothesis import settings

from tests.longest import LONGEST
from tests.paths import REAL_DATA, ROOT
from tests.shared import database_maker, examine_defaults, shared_folder

settings.register_profile("css-bench", deadline=None)  # a wall-clock bound would fail on a busy machine
settings.load_profile("css-bench")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the processes that tests start: all cores have a worker of pytest
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job, whose children would ignore it too
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {ROOT / "tests" / name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


if "--benchmark-only" not in sys.argv:
    from jaxtyping import install_import_hook

    install_import_hook(["css", "baselines"], "beartype.beartype")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CSSBENCH_CACHE", str(shared_folder(tmp_path_factory) / "cache"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _ceilings_are_of_few_utterances():
    from benchmark.data.simulation.ceilings import ceilings

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ceilings, "__defaults__", (0, 640))  # a seed, and utterances: of two million they take seconds
        yield


@pytest.fixture(scope="session")
def examined(tmp_path_factory):
    """Processes that a test starts find the default corpora examined, in the cache that all tests share."""
    return examine_defaults(tmp_path_factory)


@pytest.fixture(scope="session", autouse=True)
def _mlflow_is_a_copy(tmp_path_factory):
    from benchmark.tracking.database import StoreDatabase

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StoreDatabase, "_make", database_maker(tmp_path_factory))
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    with threadpool_limits(limits=1):
        yield


@pytest.fixture(name="undrawn")
def _undrawn():
    """Reports are made without drawing their figures."""
    from tests.undrawn import undrawn

    with undrawn():
        yield


@pytest.fixture
def real_data():
    """Folder of the corpora's feature files."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"no feature files in {REAL_DATA}")
    return REAL_DATA
