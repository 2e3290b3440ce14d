import pytest

from benchmark.base import devices as module
from benchmark.base.devices import resolve_device
from benchmark.base.errors import UserError


def machine(monkeypatch: pytest.MonkeyPatch, devices: int, torch: str) -> None:
    monkeypatch.setattr(module, "cuda_devices", lambda: devices)
    monkeypatch.setattr(module, "version", lambda name: torch)


@pytest.mark.parametrize(
    ("devices", "torch", "auto"),
    [(0, "2.8.0", "cpu"), (2, "2.8.0", "cuda"), (1, "2.8.0+cu128", "cuda"), (1, "2.8.0+cpu", "cpu")],
)
def test_auto_is_cuda_where_driver_and_torch_both_have_it(
    devices: int, torch: str, auto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(monkeypatch, devices, torch)

    assert resolve_device("auto") == auto
    assert resolve_device("cpu") == "cpu"


@pytest.mark.parametrize(("devices", "torch"), [(0, "2.8.0"), (1, "2.8.0+cpu")])
def test_asking_for_cuda_where_there_is_none_says_what_to_do(
    devices: int, torch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(monkeypatch, devices, torch)

    with pytest.raises(UserError, match=r"no CUDA device for torch .*--device cpu.*CUDA build") as error:
        resolve_device("cuda")
    assert "\n" not in str(error.value)


def test_cuda_is_cuda_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, 1, "2.8.0")

    assert resolve_device("cuda") == "cuda"
