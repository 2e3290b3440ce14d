"""``cssbench data fetch``: terms, exit codes, Ctrl-C, full disks, and that runs find what was fetched."""

import io
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from rich.console import Console

from benchmark.cli.display.downloads import shown
from tests.benchmark.fetching.served import CONTENT, Served, left, sha256
from tests.benchmark.harness import MAIN, Cli, StartCli, feature_items, write_features

NAME = "meld_multimodal_features.pkl"
HASTY = f"import benchmark.fetching.transfer as t; t.PAUSE = 0.001; {MAIN}"
FETCH = ("data", "fetch", "meld", "--accept-licence", "--sha256")


def test_a_fetched_file_is_what_runs_use(cli: Cli, served: Served, tmp_path: Path) -> None:
    served.content = (write_features(tmp_path / "made", feature_items()) / NAME).read_bytes()
    wanted, cache = sha256(served.content), str(tmp_path / "cache")
    before = cli("data", "list", CSSBENCH_CACHE=cache).stdout
    assert "cssbench data fetch meld" in before
    said = cli(*FETCH, wanted.upper(), "--url", served.url, CSSBENCH_CACHE=cache)
    assert (said.returncode, said.stderr) == (0, "")
    target = tmp_path / "cache" / "fetched" / NAME
    assert target.read_bytes() == served.content
    lines = said.stdout.splitlines()
    assert "GPL-3.0" in lines[0]
    assert lines[1] == f"fetching {served.url} to {target}"
    assert lines[2] == f"{target}: {len(served.content):,} bytes, SHA-256 {wanted}"
    assert "not the published file" in lines[3]
    assert lines[-2:] == [f"Next: cssbench data audit {target}", "      cssbench run --datasets meld"]

    again = cli(*FETCH, wanted, "--url", served.url, CSSBENCH_CACHE=cache)
    assert (again.returncode, len(served.asked)) == (0, 1)
    assert again.stdout.startswith(f"{target} is there already, SHA-256 {wanted}")
    assert "GPL" not in again.stdout
    listed = cli("data", "list", CSSBENCH_CACHE=cache).stdout
    assert "meld_multimodal_features.pkl, not the community's feature file" in listed
    assert "no meld" in cli("data", "list", "--data-dir", tmp_path, CSSBENCH_CACHE=cache).stdout

    words = ("run", "--preset", "smoke", "--epochs", "1", "--datasets", "meld", "--methods", "adam", "--seeds", "1")
    words += ("--device", "cpu", "--workers", "1", "--store", tmp_path / "store")
    run = cli(*words, CSSBENCH_CACHE=cache)
    assert run.returncode == 0, run.stderr
    assert "not the community's feature file" in (tmp_path / "store" / "report" / "report.md").read_text()


def test_out_names_another_folder_and_the_next_command_uses_it(cli: Cli, served: Served, tmp_path: Path) -> None:
    out = tmp_path / "my features"
    said = cli(*FETCH, "any", "--url", served.url, "--out", out)
    assert said.returncode == 0
    assert said.stdout.splitlines()[-1].endswith(f"--datasets meld --data-dir '{out}'")
    assert left(out) == {NAME, f"{NAME}.json"}


def test_the_published_fingerprint_is_expected_of_any_address(cli: Cli, served: Served, tmp_path: Path) -> None:
    said = cli("data", "fetch", "meld", "--accept-licence", "--url", served.url, "--out", tmp_path)
    assert said.returncode == 2
    assert "7ad660ebd929861b0cbaada5b406223f58787fb1b0dc152aab3746164a355af2" in said.stderr
    assert f"--sha256 {sha256(CONTENT)} accepts it" in said.stderr
    assert len(said.stderr.splitlines()) == 1
    assert not left(tmp_path)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("mled", "did you mean 'meld'"),
        ("iemocap-sim", "did you mean 'iemocap'"),
        ("meld --sha256 12", "--sha256 takes 64 hexadecimal digits or the word any, got '12'"),
        ("meld --url nowhere", "cannot fetch 'nowhere'"),
        ("meld", "--accept-licence"),
        ("iemocap", "--accept-licence"),
        ("", "NAME"),
    ],
)
def test_wrong_usage_is_named_and_nothing_is_written(cli: Cli, tmp_path: Path, words: str, part: str) -> None:
    said = cli("data", "fetch", *words.split(), CSSBENCH_CACHE=str(tmp_path / "cache"))
    assert said.returncode == 2
    assert part in said.stderr
    assert len(said.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def answered(words: list[str], answer: bytes, cache: Path) -> tuple[int, str]:
    """Exit code and output of a command at a terminal, when this is typed."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"CSSBENCH_CACHE": str(cache), "COLUMNS": "80"}
    process = subprocess.Popen(
        [sys.executable, "-c", f"import os; os.setsid(); os.close(os.open(os.ttyname(0), os.O_RDWR)); {MAIN}", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    )  # a session whose terminal this is, so that Ctrl-C is a signal
    os.close(theirs)
    said, typed = b"", b""
    with os.fdopen(ours, "rb", buffering=0) as terminal, suppress(OSError):  # the other end is closed at the end
        for _ in range(60):
            if select.select([ours], [], [], 5)[0]:
                said += terminal.read(4096)
            elif typed == b"\x03":  # Python misses one between the prompt and its wait for a line: press it again
                os.write(ours, typed)
            if b"[y/N]" in said and not typed and answer:
                typed = answer
                os.write(ours, typed)
    return process.wait(60), said.decode()


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"n\n", 2), (b"\n", 2), (b"\x03", 130)])
def test_at_a_terminal_the_terms_are_asked(served: Served, tmp_path: Path, answer: bytes, code: int) -> None:
    words = ["data", "fetch", "iemocap", "--url", served.url, "--sha256", sha256(CONTENT)]
    returned, said = answered(words, answer, tmp_path)
    assert "sail.usc.edu" in said
    assert "Have you got this agreement" in said
    assert returned == code, said
    assert bool(served.asked) == (code == 0)
    if code == 0:
        assert "100%" in said or "kB" in said
        assert (tmp_path / "fetched" / "iemocap_multimodal_features.pkl").read_bytes() == CONTENT
    else:
        assert not list(tmp_path.iterdir())


def test_a_failed_network_ends_with_1_and_says_how_to_go_on(cli_process: Cli, served: Served, tmp_path: Path) -> None:
    served.cuts = [300_000, *[0] * 9]
    said = cli_process(*FETCH, "any", "--url", served.url, "--out", tmp_path, code=HASTY)
    assert said.returncode == 1
    last = said.stderr.splitlines()[-1]
    assert last.startswith("error: ")
    assert "the same command goes on from there" in last
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_what_is_stopped_goes_on_at_the_next_call(
    start_cli: StartCli, cli: Cli, served: Served, tmp_path: Path, sent: int, code: int
) -> None:
    served.stall, served.cuts = threading.Event(), [600_000]
    process = start_cli(*FETCH, sha256(CONTENT), "--url", served.url, "--out", tmp_path)
    assert served.at_cut.wait(60)
    part = tmp_path / f"{NAME}.part"
    while not (part.exists() and part.stat().st_size > 100_000):
        assert process.poll() is None
    process.send_signal(sent)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert left(tmp_path) == {f"{NAME}.part", f"{NAME}.part.json"}
    if sent == signal.SIGINT:
        assert err.splitlines()[-1].startswith("interrupted: what was done is kept, and the same command goes on")
        assert "Traceback" not in err
    assert cli(*FETCH, sha256(CONTENT), "--url", served.url, "--out", tmp_path).returncode == 0
    assert served.offsets[1] > 100_000
    assert (tmp_path / NAME).read_bytes() == CONTENT


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files")
def test_a_disk_that_takes_no_more_is_said_and_the_part_continued(
    cli_process: Cli, served: Served, tmp_path: Path
) -> None:
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)); {MAIN}"
    words = (*FETCH, sha256(CONTENT), "--url", served.url, "--out", tmp_path)
    said = cli_process(*words, code=limited)
    assert said.returncode == 1
    assert f"cannot write to {tmp_path} (File too large)" in said.stderr
    assert "bytes are free, where 700,000 more bytes are needed" in said.stderr
    assert len(said.stderr.splitlines()) == 1
    assert left(tmp_path) == {f"{NAME}.part", f"{NAME}.part.json"}
    assert cli_process(*words).returncode == 0
    assert served.offsets[1] > 200_000
    assert (tmp_path / NAME).read_bytes() == CONTENT


def _own_mounts(folder: Path, size: str, then: str) -> list[str]:
    """A command line with a small disk of its own at the folder."""
    return ["unshare", "-rm", "sh", "-c", f"mount -t tmpfs -o size={size} none '{folder}' && {then}"]


def _can_mount(folder: Path) -> bool:
    return (
        shutil.which("unshare") is not None
        and not subprocess.run(_own_mounts(folder, "64k", "true"), capture_output=True).returncode
    )


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_full_disk_is_said_with_what_is_needed_and_free(served: Served, tmp_path: Path, framing: str) -> None:
    if not _can_mount(tmp_path):
        pytest.skip("no disk of a test's own here")
    served.framing = framing
    words = " ".join([*FETCH, "any", "--url", served.url, "--out", str(tmp_path)])
    script = f'"{sys.executable}" -c "{MAIN}" {words}; code=$?; ls {tmp_path}; exit $code'
    said = subprocess.run(_own_mounts(tmp_path, "256k", script), capture_output=True, text=True, timeout=60)
    assert said.returncode == 1
    assert f"cannot write to {tmp_path} (No space left on device)" in said.stderr
    assert ("where 700,000 more bytes are needed" in said.stderr) == (framing == "length")
    there = [line for line in said.stdout.splitlines() if line.startswith(NAME)]
    assert there == ([f"{NAME}.part", f"{NAME}.part.json"] if framing == "chunked" else [])


def test_on_a_terminal_a_bar_starts_where_the_part_ended() -> None:
    screen = io.StringIO()
    with shown("features", Console(file=screen, force_terminal=True, width=100)) as told:
        told(400_000, 700_000)
        told(700_000, 700_000)
        told(0, 500_000)  # begun again
        told(500_000, 500_000)
    assert "features" in screen.getvalue()
    assert "500.0/500.0 kB" in screen.getvalue()


def test_elsewhere_nothing_is_drawn() -> None:
    screen = io.StringIO()
    with shown("features", Console(file=screen)) as told:
        told(0, None)
        told(700_000, None)
    assert screen.getvalue().strip() == ""
