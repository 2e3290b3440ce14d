"""What a file is that is not what it should be, by its first bytes, and what to do about it."""

from pathlib import Path

from benchmark.base.errors import DataError

_IN_PLACE = (
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself; fetch it with git lfs pull"),
    (b"\x1f\x8b", "compressed with gzip; unpack it with gunzip first"),
    (b"BZh", "compressed with bzip2; unpack it with bunzip2 first"),
    (b"\xfd7zXZ", "compressed with xz; unpack it with unxz first"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it first"),
    (b"Rar!", "a rar archive; unpack it first"),
)
_KINDS = (
    (b"\x89HDF", "an HDF5 file; write its arrays in the open format (docs/feature-format.md)"),
    (b"\x93NUMPY", "an array of numpy's; write the open format (docs/feature-format.md)"),
    (b"PAR1", "a parquet file; write its columns in the open format (docs/feature-format.md)"),
)
_TORCH = "written by torch.save; load it with torch.load and save the tuple with pickle.dump"
_PAGES = (b"<!doctype", b"<html", b"<head", b"<?xml")
_LOOKED_AT = 4096  # bytes


def in_place(content: bytes) -> str | None:
    """What stands in place of any file, whatever that should hold: a pointer to it, a web page, or it compressed.

    A clause with its remedy; None for everything else.
    """
    start = content[:_LOOKED_AT]
    for signature, description in _IN_PLACE:
        if start.startswith(signature):
            return description
    plain = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not plain.startswith(_PAGES):
        return None
    known = (b"quota", b"virus", b"google drive")
    why = " (Google Drive's, about its quota or viruses)" if any(word in plain for word in known) else ""
    return f"a web page{why}, saved in place of the file; download it with a browser, then check its size"


def refuse_in_place(path: Path) -> None:
    """Raise a DataError for a file that only stands in place of another; one that cannot be read is left to others."""
    try:
        with path.open("rb") as file:
            description = in_place(file.read(_LOOKED_AT))
    except OSError:
        return
    if description is not None:
        raise DataError(f"{path}: this is {description}")


def described(content: bytes) -> str | None:
    """What begins so, in a clause with its remedy; None for what is not known.

    Only the first few thousand bytes are looked at. A pickle must have been ruled out: its text form is text too.
    """
    if (description := in_place(content)) is not None:
        return description
    start = content[:_LOOKED_AT]
    for signature, description in _KINDS:
        if start.startswith(signature):
            return description
    if start.startswith(b"PK\x03\x04"):
        return _TORCH if b"data.pkl" in start[:200] else "a zip archive; unpack it first"
    plain = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if plain.startswith((b"{", b"[")) and b'"' in plain:
        return "JSON; write its content in the open format (docs/feature-format.md)"
    line = plain.partition(b"\n")[0]
    if _is_text(start) and (separator := next((s for s in (b",", b"\t", b";") if s in line), None)):
        name = {b",": "CSV", b"\t": "a table with tabs", b";": "CSV with semicolons"}[separator]
        return f"{name}, not features of conversations; write the open format (docs/feature-format.md)"
    is_prose = b" " in line and not start.startswith(b"(") and _is_text(start)
    return "text, not a file of features; name the feature file" if is_prose else None


def _is_text(start: bytes) -> bool:
    try:
        text = start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:  # a character may be cut at the end
            return False
        text = start[: error.start].decode("utf-8")
    return all(character.isprintable() or character in "\r\n\t\ufeff" for character in text)
