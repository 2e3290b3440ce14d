"""Shapes and types are checked while tests run, but not while they are timed."""

import signal
import sys

import pytest
from hypothesis import settings

from tests.paths import REAL_DATA
from tests.shared import database_maker, shared_folder

settings.register_profile("css-bench", deadline=None)  # a wall-clock bound would fail on a busy machine
settings.load_profile("css-bench")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job, whose children would ignore it too
    signal.signal(signal.SIGINT, signal.default_int_handler)


if "--benchmark-only" not in sys.argv:
    from jaxtyping import install_import_hook

    install_import_hook(["css", "baselines"], "beartype.beartype")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CSSBENCH_CACHE", str(shared_folder(tmp_path_factory) / "cache"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _mlflow_is_a_copy(tmp_path_factory):
    from benchmark.tracking.database import StoreDatabase

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StoreDatabase, "_make", database_maker(tmp_path_factory))
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    import torch

    torch.set_num_threads(1)


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
