"""The route over Google Drive, up to the network: its pages, as gdown reads them, come from a local server."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from benchmark.base.errors import TransferError
from benchmark.fetching import DriveFile, fetch, transfer
from tests.benchmark.fetching.served import CONTENT, Served, sha256

NAME = "meld_multimodal_features.pkl"
ID = "1aB-cD_0123456789012345678901234"
LISTING = "/embeddedfolderview?id=1TwT9z6N6SJadsVkDhSNVBiF9ZygEyA6l"
ASKED = f"/uc?id={ID}"
ENTRY = (
    '<div class="flip-entry"><a href="https://drive.google.com/file/d/{}/view?usp=drive_web"><div>{}</div></a></div>'
)
FOLDER = "<html><head><title>features</title></head><body>{}</body></html>"
CONFIRM = (
    "<html><title>Google Drive - Virus scan warning</title>"
    '<form id="download-form" action="https://drive.usercontent.google.com/download" method="get">'
    f'<input type="hidden" name="id" value="{ID}"><input type="hidden" name="export" value="download">'
    '<input type="hidden" name="confirm" value="t"><input type="hidden" name="uuid" value="u-1"></form></html>'
)
HOSTS = {"drive.google.com", "drive.usercontent.google.com"}


@pytest.fixture
def drive(served: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    """The server in Drive's place, with the published folder and its page about viruses."""
    send = requests.adapters.HTTPAdapter.send

    def redirected(self: requests.adapters.HTTPAdapter, request: requests.PreparedRequest, **options: object) -> object:
        there = urlsplit(str(request.url))
        assert there.hostname in HOSTS
        assert there.scheme == "https"
        request.url = there._replace(scheme="http", netloc=urlsplit(served.url).netloc).geturl()
        return send(self, request, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", redirected)
    monkeypatch.setattr(transfer, "PAUSE", 0.001)
    entries = (("2" + ID[1:], "iemocap_multimodal_features.pkl"), (ID, NAME))
    served.pages = {LISTING: FOLDER.format("".join(ENTRY.format(*entry) for entry in entries)), ASKED: CONFIRM}
    return served


def get(target: Path, notes: list[str] | None = None) -> str:
    source = DriveFile(file=NAME)
    return fetch(target, source, sha256(CONTENT), lambda *_: None, (notes if notes is not None else []).append)


def test_the_file_is_found_by_name_and_fetched_past_the_virus_page(drive: Served, target: Path) -> None:
    get(target)
    assert target.read_bytes() == CONTENT
    receipt = target.with_name(NAME + ".json").read_text()
    assert f"drive.google.com/drive/folders/1TwT9z6N6SJadsVkDhSNVBiF9ZygEyA6l/{NAME}" in receipt


def test_a_cut_goes_on_though_the_address_is_another_each_time(drive: Served, target: Path) -> None:
    drive.cuts = [200_000, *[0] * 9]
    with pytest.raises(TransferError):
        get(target)
    drive.pages[ASKED] = CONFIRM.replace("u-1", "u-2")
    drive.cuts.clear()
    get(target)
    assert drive.offsets[-1] > 100_000
    assert target.read_bytes() == CONTENT


def test_a_small_file_is_sent_without_a_question(drive: Served, target: Path) -> None:
    del drive.pages[ASKED]
    drive.disposition = True
    get(target)
    assert target.read_bytes() == CONTENT


QUOTA = (
    '<p class="uc-error-subcaption">Too many users have viewed or downloaded this file recently. Please try later.</p>'
)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (QUOTA, "Too many users have viewed or downloaded this file recently"),
        ("<html>new design</html>", "Cannot retrieve the public link of the file"),
    ],
)
def test_what_drive_says_instead_is_passed_on_with_a_remedy(drive: Served, target: Path, page: str, said: str) -> None:
    drive.pages[ASKED] = page
    with pytest.raises(TransferError, match=f"{said}; .* --url file:///…/{NAME}"):
        get(target)
    assert not target.exists()


def test_a_page_instead_of_the_content_is_not_taken_for_it(drive: Served, target: Path) -> None:
    drive.kind = "text/html; charset=utf-8"
    with pytest.raises(TransferError, match="Drive sends a page instead of the file"):
        get(target)


def test_a_folder_without_the_file_says_what_it_holds(drive: Served, target: Path) -> None:
    drive.pages[LISTING] = FOLDER.format(ENTRY.format(ID, "other.pkl"))
    with pytest.raises(TransferError, match=r"no such file but other\.pkl"):
        get(target)


def test_a_folder_that_is_not_public_any_more_is_said(drive: Served, target: Path) -> None:
    del drive.pages[LISTING]
    drive.statuses = [404]
    with pytest.raises(TransferError, match=r"Failed to retrieve folder contents .*404"):
        get(target)


def test_no_network_is_tried_again_and_then_said(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise requests.ConnectionError("HTTPSConnectionPool(host='drive.google.com', port=443): no route to host")

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", unreachable)
    monkeypatch.setattr(transfer, "PAUSE", 0.001)
    notes: list[str] = []
    with pytest.raises(TransferError, match=r"no connection to drive\.google\.com: no route to host"):
        get(target, notes)
    assert len(notes) == transfer.RETRIES
