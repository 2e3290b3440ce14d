"""Downloads that are cut, changed, refused or wrong: the whole file or nothing that looks like it."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmark.base.errors import TransferError, UserError
from benchmark.fetching import fetch, source_of, sources, transfer
from tests.benchmark.fetching.served import CONTENT, Served, left, serving, sha256

Get = Any
PART = {"meld_multimodal_features.pkl.part", "meld_multimodal_features.pkl.part.json"}
DONE = {"meld_multimodal_features.pkl", "meld_multimodal_features.pkl.json"}
OTHER = bytes(reversed(CONTENT))


def test_a_file_arrives_whole_with_a_receipt(get: Get, served: Served, target: Path) -> None:
    assert get() == sha256(CONTENT)
    assert target.read_bytes() == CONTENT
    assert left(target.parent) == DONE
    receipt = json.loads((target.parent / "meld_multimodal_features.pkl.json").read_text())
    assert receipt.pop("time").endswith("+00:00")
    assert receipt == {"source": served.url, "sha256": sha256(CONTENT), "size": len(CONTENT)}
    assert get.notes == []


def test_progress_counts_every_byte_from_where_it_went_on(
    served: Served, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "PAUSE", 0.0)
    told: list[tuple[int, int | None]] = []
    served.cuts = [300_000]
    fetch(target, source_of(served.url), None, lambda *now: told.append(now))
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [count for count, _ in told] == sorted(count for count, _ in told)


def test_a_cut_connection_goes_on_where_it_was(get: Get, served: Served, target: Path) -> None:
    served.cuts = [200_000, 300_000]
    get()
    assert target.read_bytes() == CONTENT
    first, second, third = served.offsets
    assert first == 0
    assert 0 < second <= 200_000 < third <= second + 300_000
    assert [asked.get("If-Range") for asked in served.asked] == [None, '"1"', '"1"']
    assert len(get.notes) == 2
    assert "was cut" in get.notes[0]


def test_a_date_tells_versions_apart_where_there_is_no_strong_tag(get: Get, served: Served, target: Path) -> None:
    served.cuts, served.etag, served.modified = [200_000], None, 1e9
    get()
    assert served.asked[1]["If-Range"] == served.validator
    assert target.read_bytes() == CONTENT
    target.unlink()
    served.cuts, served.etag = [200_000], 'W/"1"'
    served.if_range = False
    get()
    assert "GMT" in served.asked[-1]["If-Range"]


def test_attempts_that_bring_nothing_are_given_up_and_what_came_is_kept(get: Get, served: Served, target: Path) -> None:
    served.cuts = [200_000, *[0] * 20]
    with pytest.raises(TransferError, match=r"the connection to 127\.0\.0\.1 was cut; 1\d\d,\d\d\d bytes are kept"):
        get()
    assert len(served.asked) == 1 + transfer.RETRIES + 1
    assert left(target.parent) == PART

    served.cuts.clear()
    get()
    assert served.offsets[-1] > 100_000
    assert target.read_bytes() == CONTENT
    assert left(target.parent) == DONE


def test_a_connection_that_is_cut_again_and_again_goes_on_as_long_as_it_brings_something(
    get: Get, served: Served, target: Path
) -> None:
    served.cuts = [70_000] * 30
    get()
    assert len(served.asked) > 2 * transfer.RETRIES
    assert target.read_bytes() == CONTENT


def cut_off(get: Get, served: Served) -> None:
    """Leave a part of the first version behind."""
    served.cuts = [400_000, *[0] * transfer.RETRIES, 0]
    with pytest.raises(TransferError):
        get()
    served.cuts.clear()
    served.asked.clear()


@pytest.mark.parametrize("if_range", [True, False])
@pytest.mark.parametrize("content", [OTHER, OTHER[:500_000], OTHER[:1000], CONTENT + b"more"])
def test_versions_are_never_mixed(get: Get, served: Served, target: Path, content: bytes, if_range: bool) -> None:
    cut_off(get, served)
    served.content, served.etag, served.if_range = content, '"2"', if_range
    assert get(None) == sha256(content)
    assert target.read_bytes() == content
    assert served.offsets[0] > 300_000


def test_a_range_of_another_length_is_another_version_even_under_the_same_tag(
    get: Get, served: Served, target: Path
) -> None:
    cut_off(get, served)
    served.content, served.if_range = OTHER + b"more", False
    assert get(None) == sha256(OTHER + b"more")


def test_the_part_of_another_address_is_not_continued(get: Get, served: Served, target: Path) -> None:
    cut_off(get, served)
    served.content = OTHER
    get(None, served.url + "?version=2")
    assert served.offsets == [0]
    assert target.read_bytes() == OTHER


@pytest.mark.parametrize("damage", ["", "{", "{}", '{"source": 1, "version": null}'])
def test_a_part_without_a_readable_record_is_not_continued(get: Get, served: Served, target: Path, damage: str) -> None:
    cut_off(get, served)
    target.with_name(target.name + ".part.json").write_text(damage)
    get()
    assert served.offsets == [0]
    assert target.read_bytes() == CONTENT


def test_a_server_without_ranges_sends_all_again(get: Get, served: Served, target: Path) -> None:
    served.ranges, served.cuts = False, [200_000, 300_000]
    get()
    assert target.read_bytes() == CONTENT


def test_a_server_without_ranges_that_always_cuts_is_given_up(get: Get, served: Served, target: Path) -> None:
    served.ranges, served.cuts = False, [200_000] * 50
    with pytest.raises(TransferError):
        get()
    assert len(served.asked) == 1 + transfer.RETRIES + 1
    assert not target.exists()


def test_without_a_validator_no_range_is_asked_for(get: Get, served: Served, target: Path) -> None:
    served.etag, served.cuts = None, [200_000]
    get()
    assert all("Range" not in asked for asked in served.asked)
    assert target.read_bytes() == CONTENT


def test_what_was_cut_off_after_its_last_byte_is_only_checked(get: Get, served: Served, target: Path) -> None:
    cut_off(get, served)
    target.with_name(target.name + ".part").write_bytes(CONTENT)
    get()
    assert served.asked == []
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_refusal_is_tried_again(get: Get, served: Served, target: Path, status: int) -> None:
    served.statuses = [status, status]
    get()
    assert target.read_bytes() == CONTENT
    assert str(status) in get.notes[0]


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_another_refusal_is_final(get: Get, served: Served, target: Path, status: int) -> None:
    served.statuses = [status] * 9
    with pytest.raises(TransferError, match=f"the server answers {status}"):
        get()
    assert len(served.asked) == 1
    assert not left(target.parent)


def test_a_refusal_keeps_what_came_before(get: Get, served: Served, target: Path) -> None:
    cut_off(get, served)
    served.statuses = [403]
    with pytest.raises(TransferError, match="403"):
        get()
    assert left(target.parent) == PART


def test_fewer_bytes_than_announced_are_no_file(get: Get, served: Served, target: Path) -> None:
    served.announced, served.ranges = len(CONTENT) + 5, False
    with pytest.raises(TransferError):
        get(None)
    assert not target.exists()


def test_more_bytes_than_announced_fail_the_check(get: Get, served: Served, target: Path) -> None:
    served.announced = len(CONTENT) - 5
    with pytest.raises(UserError, match=sha256(CONTENT)):
        get()
    assert not left(target.parent)


def test_a_server_that_falls_silent_is_asked_again(
    get: Get, served: Served, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "TIMEOUT", (2.0, 0.2))
    served.stall, served.cuts = threading.Event(), [200_000]
    get()
    assert target.read_bytes() == CONTENT
    assert "timed out" in get.notes[0]


def test_nobody_there_is_said_with_the_cause(get: Get, served: Served, target: Path) -> None:
    with pytest.raises(
        TransferError, match=r"no connection to 127\.0\.0\.1: \[Errno 111\] Connection refused; 0 bytes"
    ):
        get(url="http://127.0.0.1:9/x.pkl")
    assert not left(target.parent)


def test_the_wrong_content_is_removed_and_both_fingerprints_are_said(get: Get, served: Served, target: Path) -> None:
    served.content = OTHER
    with pytest.raises(UserError) as error:
        get()
    assert sha256(OTHER) in str(error.value)
    assert sha256(CONTENT) in str(error.value)
    assert not left(target.parent)
    assert get(sha256(OTHER)) == sha256(OTHER)


@pytest.mark.parametrize("framing", ["chunked", "none"])
def test_a_length_is_not_needed_where_the_fingerprint_is_known(
    get: Get, served: Served, target: Path, framing: str
) -> None:
    served.framing = framing
    get()
    assert target.read_bytes() == CONTENT


def test_neither_length_nor_fingerprint_is_refused(get: Get, served: Served, target: Path) -> None:
    served.framing, served.cuts = "none", [200_000]
    with pytest.raises(TransferError, match="does not say how long"):
        get(None)
    assert not left(target.parent)


def test_a_cut_that_no_length_shows_fails_the_check(get: Get, served: Served, target: Path) -> None:
    served.framing, served.cuts = "none", [200_000]
    with pytest.raises(UserError, match="not the expected"):
        get()
    assert not left(target.parent)


def test_chunks_have_an_end_of_their_own(get: Get, served: Served, target: Path) -> None:
    served.framing, served.cuts, served.etag = "chunked", [200_000], None
    get(None)
    assert target.read_bytes() == CONTENT
    assert len(served.asked) == 2


def test_a_web_page_is_not_taken_for_a_file(get: Get, served: Served, target: Path) -> None:
    served.kind = "text/html; charset=utf-8"
    with pytest.raises(UserError, match="is a web page"):
        get(None)
    assert not left(target.parent)


def test_secrets_of_an_address_are_neither_kept_nor_said(get: Get, served: Served, target: Path) -> None:
    url = served.url.replace("//", "//user:secret@") + "?token=secret"
    served.cuts = [200_000, *[0] * 9]
    with pytest.raises(TransferError) as error:
        get(url=url)
    kept = [path.read_text() for path in target.parent.glob("*.json")]
    served.cuts.clear()
    get(url=url)
    assert served.asked[-1]["Authorization"].startswith("Basic ")
    kept += [path.read_text() for path in target.parent.glob("*.json")]
    assert len(kept) == 2
    assert "secret" not in "".join([*kept, *get.notes, str(error.value)])
    target.unlink()
    with pytest.raises(TransferError) as error:
        get(url="http://user:secret@127.0.0.1:9/x?token=secret")
    assert "secret" not in str(error.value)


def test_what_is_there_is_checked_and_not_fetched_again(get: Get, served: Served, target: Path) -> None:
    get()
    assert get() == sha256(CONTENT)
    assert get(None) == sha256(CONTENT)  # by its receipt
    assert len(served.asked) == 1


def test_another_file_in_its_place_is_left_alone(get: Get, served: Served, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"mine")
    for expected, said in ((sha256(CONTENT), f"not the expected {sha256(CONTENT)}"), (None, "not known to be from")):
        with pytest.raises(UserError, match=f"is there already with SHA-256 {sha256(b'mine')}, {said}"):
            get(expected)
    assert target.read_bytes() == b"mine"
    assert served.asked == []


def test_a_file_that_changed_since_its_receipt_is_not_taken_for_it(get: Get, served: Served, target: Path) -> None:
    get(None)
    target.write_bytes(CONTENT[:-1])
    with pytest.raises(UserError, match="is there already"):
        get(None)


def test_two_at_once_do_not_disturb_each_other(get: Get, served: Served, target: Path) -> None:
    served.stall, served.cuts = threading.Event(), [200_000]
    first = threading.Thread(target=get)
    first.start()
    assert served.at_cut.wait(10)
    with pytest.raises(TransferError, match="another process is fetching"):
        get()
    served.stall.set()
    first.join()
    assert target.read_bytes() == CONTENT


def test_other_files_of_the_folder_can_be_fetched_meanwhile(get: Get, served: Served, target: Path) -> None:
    served.stall, served.cuts = threading.Event(), [200_000]
    first = threading.Thread(target=get)
    first.start()
    assert served.at_cut.wait(10)
    other = target.with_name("iemocap_multimodal_features.pkl")
    fetch(other, source_of(served.url), None, lambda *_: None)
    served.stall.set()
    first.join()
    assert other.read_bytes() == target.read_bytes() == CONTENT


def test_too_little_room_is_said_before_anything_is_written(
    get: Get, served: Served, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "_free", lambda folder: 1234)
    with pytest.raises(TransferError, match=r"1,234 bytes are free, where 700,000 more bytes are needed"):
        get()
    assert not left(target.parent)


def test_room_is_needed_only_for_what_is_to_come(
    get: Get, served: Served, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(get, served)
    monkeypatch.setattr(transfer, "_free", lambda folder: len(CONTENT) - served.offsets[-1] if served.asked else 0)
    get()
    assert served.offsets[-1] > 0


def test_a_file_of_this_machine_is_copied(get: Get, target: Path, tmp_path: Path) -> None:
    file = tmp_path / "a file.pkl"
    file.write_bytes(CONTENT)
    assert get(url=file.as_uri()) == sha256(CONTENT)
    assert target.read_bytes() == CONTENT
    assert left(target.parent) == DONE


def test_the_part_of_a_file_of_this_machine_is_continued_unless_it_changed(
    get: Get, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.pkl"
    file.write_bytes(CONTENT)
    part, told = target.with_name(target.name + ".part"), []

    def stopped(received: int, total: int | None) -> None:
        told.append(received)
        if received > 300_000 and len(told) > 1:
            raise KeyboardInterrupt

    source = source_of(file.as_uri())
    with pytest.raises(KeyboardInterrupt):
        fetch(target, source, None, stopped)
    assert left(target.parent) == PART
    there = part.stat().st_size
    told.clear()
    with pytest.raises(KeyboardInterrupt):
        fetch(target, source, None, stopped)
    assert told[0] == there > 300_000
    file.write_bytes(OTHER)
    assert get(None, url=file.as_uri()) == sha256(OTHER)


@pytest.mark.parametrize("url", ["file:///absent/x.pkl", "file:///tmp", "ftp://host/x", "x.pkl", "http:///x", ""])
def test_an_address_that_cannot_be_is_wrong_usage(get: Get, target: Path, url: str) -> None:
    with pytest.raises(UserError, match="cannot"):
        get(url=url)
    assert not target.exists()


@pytest.mark.parametrize("folder", ["/dev/null", "/dev/null/x", "/proc/x"])
def test_a_folder_that_cannot_be_written_is_wrong_usage(served: Served, folder: str) -> None:
    with pytest.raises(UserError, match=f"cannot write to {folder} .*--out"):
        fetch(Path(folder) / "x", source_of(served.url), None, lambda *_: None)
    assert served.asked == []


_CONTENTS = st.sampled_from([CONTENT[:9000], OTHER[:9000], OTHER[:8000], CONTENT[:200_000]])
_STEP = st.fixed_dictionaries(
    {
        "content": _CONTENTS,
        "cuts": st.lists(st.integers(0, 9000), max_size=7),
        "statuses": st.lists(st.sampled_from([200, 503, 416, 403]), max_size=3),
        "ranges": st.booleans(),
        "if_range": st.booleans(),
        "framing": st.sampled_from(["length", "chunked"]),
    }
)


@given(steps=st.lists(_STEP, min_size=1, max_size=5))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_whatever_happens_the_file_is_one_version_or_absent(
    steps: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "PAUSE", 0.0)
    monkeypatch.setattr(sources, "CHUNK", 1024)
    target = tmp_path_factory.mktemp("any") / "meld_multimodal_features.pkl"
    with serving() as served:
        for step in steps:
            for name, value in step.items():
                setattr(served, name, value)
            served.etag = f'"{sha256(served.content)[:8]}"'
            try:
                found = fetch(target, source_of(served.url), None, lambda *_: None)
            except TransferError:
                assert left(target.parent) <= PART
            else:
                assert found == sha256(target.read_bytes())
                assert target.read_bytes() in [s["content"] for s in steps]
                assert left(target.parent) == DONE
                break
