"""Where a file comes from: a web server or this machine; each opens it at an offset."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

import requests

from benchmark.base.errors import TransferError, UserError

if TYPE_CHECKING:
    from requests import Response

TIMEOUT = (10.0, 30.0)
"""Seconds to wait for a connection, and for the next bytes."""
CHUNK = 2**16
_PASSING = (408, 425, 429, 500, 502, 503, 504)


class PassingError(Exception):
    """The transfer stopped for what may be over at the next attempt."""


class StaleError(PassingError):
    """What was received does not go with what the source sends now: begin again."""


@dataclass(frozen=True)
class Version:
    """Which content a source holds now: its length in bytes and what tells it from others, each None where unknown."""

    length: int | None
    validator: str | None


@dataclass(frozen=True)
class Stream:
    """An opened source: its version, and its content from ``offset`` on.

    ``ends``: whether the end of the content can be told from a cut connection.
    """

    version: Version
    offset: int
    chunks: Iterator[bytes]
    ends: bool


class Source(Protocol):
    """A file elsewhere. ``name`` identifies it and shows no secret of its address."""

    @property
    def name(self) -> str:
        """What identifies it, for people and for a later call."""

    def open(self, offset: int, held: Version | None) -> AbstractContextManager[Stream]:
        """Its content from ``offset`` on where it is still the ``held`` version, else from the start.

        Raises:
            PassingError, also while the chunks are read; TransferError, UserError: trying again would not help.
        """


def source_of(url: str) -> "Source":
    """The source at an ``http``, ``https`` or ``file`` address; raises UserError for another."""
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and parts.hostname:
        return WebFile(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return LocalFile(Path(url2pathname(parts.path)))
    raise UserError(f"cannot fetch {url!r}: give an http, https or file address (file:///… for this machine)")


@dataclass(frozen=True)
class LocalFile:
    """A file of this machine, or of one that is mounted."""

    path: Path

    @property
    def name(self) -> str:
        """Its address."""
        return self.path.absolute().as_uri()

    @contextmanager
    def open(self, offset: int, held: Version | None) -> Iterator[Stream]:
        """See Source."""
        try:
            file = self.path.open("rb")
        except OSError as error:
            raise UserError(f"cannot read {self.path} ({error.strerror}); check the address") from None
        with file:
            stat = self.path.stat()
            version = Version(stat.st_size, str(stat.st_mtime_ns))
            offset = file.seek(offset if version == held else 0)
            yield Stream(version, offset, self._chunks(file), ends=True)

    def _chunks(self, file: BinaryIO) -> Iterator[bytes]:
        try:
            while chunk := file.read(CHUNK):
                yield chunk
        except OSError as error:
            raise TransferError(f"cannot read {self.path} to its end ({error.strerror})") from None


@dataclass(frozen=True)
class WebFile:
    """A file on a web server."""

    url: str

    @property
    def name(self) -> str:
        """The address without user and password, and with a digest for the query: they may be secret."""
        parts = urlsplit(self.url)
        query = parts.query and f"sha256={hashlib.sha256(parts.query.encode()).hexdigest()[:16]}"
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query, fragment="").geturl()

    @contextmanager
    def open(self, offset: int, held: Version | None) -> Iterator[Stream]:
        """See Source; If-Range makes the server send the whole of another version."""
        headers = {"Accept-Encoding": "identity"}  # offsets count the file's own bytes
        if offset and held and held.validator:
            headers |= {"Range": f"bytes={offset}-", "If-Range": held.validator}
        with (
            _network_errors(self.url),
            requests.Session() as session,
            session.get(self._address(session), headers=headers, stream=True, timeout=TIMEOUT) as response,
        ):
            refuse(response, self.name)
            if response.headers.get("Content-Type", "").startswith("text/html"):
                raise self._not_a_file()
            yield self._stream(response, held, offset if "Range" in headers else 0)

    def _address(self, session: requests.Session) -> str:
        return self.url

    def _stream(self, response: "Response", held: Version | None, asked: int) -> Stream:
        total = response.headers.get("Content-Length")
        validator = response.headers.get("ETag", "W/")
        if validator.startswith("W/"):  # a weak one does not promise the same bytes
            validator = response.headers.get("Last-Modified", "")
        if response.status_code == 206:
            content_range = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", response.headers.get("Content-Range", ""))
            first, last, length = map(int, content_range.groups()) if content_range else (-1, -1, -1)
            version = Version(length, validator or (held and held.validator) or None)
            if not asked or first != asked or last + 1 != length or version != held:
                raise StaleError("the server sends another range or version than the one asked for")
            return Stream(version, asked, self._chunks(response), ends=True)
        version = Version(int(total) if total else None, validator or None)
        chunked = response.headers.get("Transfer-Encoding", "").lower() == "chunked"
        return Stream(version, 0, self._chunks(response), ends=chunked or total is not None)

    def _chunks(self, response: "Response") -> Iterator[bytes]:
        with _network_errors(self.url):
            yield from response.iter_content(CHUNK)

    def _not_a_file(self) -> Exception:
        return UserError(f"{self.name} is a web page, not a file; give the address of the file itself")


def refuse(response: "Response", name: str) -> None:
    """Raise for an answer that is no content: TransferError, or PassingError where it may be another one later."""
    status = f"{response.status_code} {response.reason}".strip()
    if response.status_code == 416:
        raise StaleError("the server has fewer bytes than were received")
    if response.status_code in _PASSING:
        raise PassingError(f"the server answers {status}")
    if response.status_code not in (200, 206):
        raise TransferError(f"{name}: the server answers {status}; check the address, and whether you may read it")


@contextmanager
def _network_errors(url: str) -> Iterator[None]:
    """Errors of the network, in words that show no address beyond the host."""
    host = urlsplit(url).hostname
    try:
        yield
    except (requests.exceptions.SSLError, requests.exceptions.ProxyError) as error:
        raise TransferError(f"no connection to {host}: {_cause(error)}; check the proxy and its certificates") from None
    except requests.Timeout:
        raise PassingError(f"{host} does not answer") from None
    except requests.exceptions.ChunkedEncodingError:
        raise PassingError(f"the connection to {host} was cut") from None
    except requests.ConnectionError as error:
        raise PassingError(f"no connection to {host}: {_cause(error)}") from None
    except requests.RequestException as error:
        raise TransferError(f"cannot fetch from {host}: {type(error).__name__}; check the address") from None


def _cause(error: Exception) -> str:
    return str(error).rpartition(": ")[2].rstrip("\"'). ")
