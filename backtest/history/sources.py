"""Files to import: found by path, folder or glob, opened through zip and gzip, and known by their SHA-256."""

import glob
import gzip
import hashlib
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from backtest.errors import PerpoolError

PACKED = (".zip", ".gz")
# A RuntimeError: a zip with a password, or packed in a way that Python cannot unpack.
_BROKEN = (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError, RuntimeError)


@dataclass(frozen=True)
class Member:
    """A text file: a file of its own, what a .gz holds, or a member of a .zip. `name` is how messages call it."""

    file: Path
    name: str
    open: Callable[[], BinaryIO]


def find(paths: Sequence[str | Path], suffixes: Sequence[str]) -> list[Path]:
    """The files that `paths` name (files, folders, globs), each once; of a folder those with one of `suffixes`."""
    found: dict[Path, Path] = {}
    for entry in map(Path, paths):
        for file in _expand(entry, suffixes):
            found.setdefault(file.resolve(), file)
    return list(found.values())


def _expand(entry: Path, suffixes: Sequence[str]) -> list[Path]:
    if entry.is_file():
        return [entry]
    if entry.is_dir():
        files = sorted(
            file for file in entry.rglob("*") if file.is_file() and file.name.lower().endswith(tuple(suffixes))
        )
        if not files:
            raise PerpoolError(
                f"{entry}: the folder holds no files that end with {', '.join(suffixes)}; check the path"
            )
        return files
    if not glob.has_magic(str(entry)):
        raise PerpoolError(f"{entry}: no such file or folder; check the path")
    files = sorted(Path(file) for file in glob.glob(str(entry), recursive=True) if Path(file).is_file())
    if not files:
        raise PerpoolError(f"{entry}: no file matches; check the pattern")
    return files


def digest(file: Path) -> str:
    """The SHA-256 of a file, as hexadecimal text."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def members(file: Path) -> list[Member]:
    """The text files in `file`: of a zip its *.csv in the order of their names, else the one there is."""
    suffix = file.suffix.lower()
    if suffix == ".gz":
        return [Member(file, str(file), partial(_open_gzip, file))]
    if suffix != ".zip":
        return [Member(file, str(file), partial(_open_plain, file))]
    with whole(file), zipfile.ZipFile(file) as archive:
        there = archive.namelist()
    names = sorted(name for name in there if name.lower().endswith(".csv") and not name.startswith("__MACOSX/"))
    if not names:
        shown = ", ".join(there[:5]) or "nothing"
        raise PerpoolError(f"{file}: the zip holds no .csv file (there is {shown}); give one that does")
    return [Member(file, f"{file}/{name}", partial(_open_zipped, file, name)) for name in names]


def _open_plain(file: Path) -> BinaryIO:
    return file.open("rb")


def _open_gzip(file: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(file))


def _open_zipped(file: Path, name: str) -> BinaryIO:
    return cast(BinaryIO, zipfile.ZipFile(file).open(name))


@contextmanager
def whole(file: Path) -> Iterator[None]:
    """Say of a zip or gzip that breaks off, or is none, that it does."""
    try:
        yield
    except _BROKEN as error:
        kind = file.suffix.lower().lstrip(".")
        reason = " ".join(str(error).split()).rstrip(".")
        raise PerpoolError(f"{file}: is no whole {kind} file ({reason}); download it again") from None
