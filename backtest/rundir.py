"""The run directory: six Parquet files, snapshots of the book and a manifest, written aside and renamed when whole.

`RunWriter` takes blocks of records from the engine; two background threads hash, transpose and compress them while the
caller computes.
"""

import contextlib
import hashlib
import json
import os
import queue
import shutil
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from backtest import columns
from backtest.columns import BOOK, Labels
from backtest.errors import PerpoolError
from backtest.snapshots import write_book
from backtest.tablefile import TableWriter, as_rows

FORMAT_VERSION = 2  # 2: fee reserves, pooled margin, open fees and rewards of liquidators have columns
MANIFEST = "manifest.json"
_QUEUE = 2  # blocks waiting per thread; each is a copy, so memory stays bounded
_Job = Callable[[], None]
_OWN_THREAD = "events"  # as many bytes as all other tables together: they share the second thread


class RunWriter:
    """Context manager that writes one run directory; leaves nothing behind unless `finish` was reached.

    Raises PerpoolError when `out` is in the way: a file, a directory that is not a run, or a run without `overwrite`.
    """

    def __init__(self, out: Path, labels: Labels, compression: str = "zstd", *, overwrite: bool = False) -> None:
        self._out = Path(os.path.abspath(out))  # resolve() would write where a link points, not beside it
        self._labels = labels
        self._compression = compression
        self._overwrite = overwrite
        self._queues: tuple[queue.Queue[_Job | None], ...] = (queue.Queue(_QUEUE), queue.Queue(_QUEUE))
        self._books: list[dict[str, Any]] = []
        self._threads = [
            threading.Thread(target=self._work, args=(blocks,), name="perpool-writer", daemon=True)
            for blocks in self._queues
        ]
        self._error: BaseException | None = None
        self._stopping = False
        self._finished = False
        self._partial: list[Path] = []  # what `_undo` removes, whatever happens: also at exit, also when collected
        self._made: list[Path] = []
        self._undo = weakref.finalize(self, _remove, self._partial, self._made)

    def __enter__(self) -> "RunWriter":
        check_target(self._out, self._overwrite)
        self._made += [parent for parent in self._out.parents if not os.path.lexists(parent)]
        try:
            self._out.parent.mkdir(parents=True, exist_ok=True)
            self._dir = _new_sibling(self._out, "partial")
            self._partial.append(self._dir)
            self._tables = {
                name: TableWriter(self._dir, name, self._labels, self._compression) for name in columns.TABLES
            }
            for thread in self._threads:
                thread.start()
        except BaseException as error:
            self._stop()
            self._undo()
            if isinstance(error, OSError):
                raise self._cannot_write(error) from error
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._finished:
            self._stop()
            for table in self._tables.values():
                table.abandon()
            self._undo()

    def _cannot_write(self, error: Exception) -> PerpoolError:
        reason = getattr(error, "strerror", None) or str(error)
        blocking = next((parent for parent in self._out.parents if os.path.lexists(parent)), self._out)
        if not blocking.is_dir():
            reason = f"{blocking} is not a directory"
        return PerpoolError(f"cannot write the run directory {self._out}: {reason}; free space or choose another --out")

    @property
    def directory(self) -> Path:
        """Where the files lie until `finish`; more files may be put there and travel with the run."""
        return self._dir

    def append(self, table: str, records: npt.NDArray[Any]) -> None:
        """Add rows: a 1-D structured array of the table's record, or int64 of shape (n, n_fields); copied at once.

        Raises what a background thread met, at the next call after it happened.
        """
        self._raise_pending()
        rows = np.array(as_rows(table, records), order="C", copy=True)
        if len(rows):
            self._queues[table != _OWN_THREAD].put(partial(self._tables[table].add, rows))

    def append_book(self, at_us: int, found: npt.NDArray[Any]) -> None:
        """Write a snapshot of the book at a time: records of kernels.state.MARK, which are the writer's from now on."""
        self._raise_pending()
        self._queues[1].put(partial(self._write_book, at_us, found))

    def _write_book(self, at_us: int, found: npt.NDArray[Any]) -> None:
        self._books.append(write_book(self._dir / BOOK, at_us, found, self._labels, self._compression))

    def finish(self, manifest: Mapping[str, Any]) -> Path:
        """Write what is left and the manifest, put everything on disk, rename; returns the final path.

        Adds `format_version`, `result_hash`, `tables` (rows, bytes and sha256 of each) and, of a run that has some,
        `snapshots` to the manifest.
        """
        self._stop(drain=True)
        self._raise_pending()
        check_manifest(manifest, self._labels)
        try:
            tables = {name: table.close() for name, table in self._tables.items()}
            whole = dict(manifest) | {
                "format_version": FORMAT_VERSION,
                "result_hash": result_hash({name: str(entry["sha256"]) for name, entry in tables.items()}),
                "tables": tables,
            }
            whole |= {"snapshots": self._books} if self._books else {}
            (self._dir / MANIFEST).write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            for path in [*self._dir.rglob("*"), self._dir]:
                _fsync(path)
            check_target(self._out, self._overwrite)  # again: a run takes long, and someone may have come first
            _move_into_place(self._dir, self._out)
        except OSError as error:
            raise self._cannot_write(error) from error
        self._finished = True
        self._undo.detach()
        return self._out

    def _raise_pending(self) -> None:
        if self._error is not None:
            error, self._stopping = self._error, True
            if isinstance(error, (OSError, pa.ArrowException)):
                raise self._cannot_write(error) from error
            raise error

    def _stop(self, drain: bool = False) -> None:
        self._stopping = self._stopping or not drain
        for blocks, thread in zip(self._queues, self._threads, strict=True):
            # Asked once: a signal may come between a thread's start and its first breath, and who joins a thread
            # that was not told to end waits for ever.
            if thread.is_alive():
                blocks.put(None)
                thread.join()
            else:
                with contextlib.suppress(queue.Full):
                    blocks.put_nowait(None)

    def _work(self, blocks: "queue.Queue[_Job | None]") -> None:
        while (job := blocks.get()) is not None:
            if self._stopping or self._error is not None:
                continue  # keep taking blocks, so that the caller is never stuck in put()
            try:
                job()
            except BaseException as error:  # handed to the caller at its next call
                self._error = error


def _remove(partial: list[Path], made: list[Path]) -> None:
    """Remove partial directories and the folders made above them, unless someone has put something there."""
    for path in partial:
        shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(OSError):
        for parent in made:
            parent.rmdir()


def result_hash(digests: Mapping[str, str]) -> str:
    """sha256 over the lines `table digest`, sorted by table: equal results have equal hashes, on any machine."""
    return hashlib.sha256("".join(f"{name} {digests[name]}\n" for name in sorted(digests)).encode()).hexdigest()


def check_manifest(manifest: Mapping[str, Any], labels: Labels) -> None:
    """Refuse a manifest whose markets or custodies are not those behind the codes of the tables."""
    for key, symbols in (("markets", labels.markets), ("custodies", labels.custodies)):
        named = tuple(entry["symbol"] for entry in manifest.get(key, ()))
        if named != symbols:
            raise ValueError(f"manifest {key} {named} are not the labels {symbols} of the run")


def check_target(out: Path, overwrite: bool) -> None:
    """Refuse what must not be replaced, with what to do instead."""
    if not out.exists():
        return
    if not out.is_dir():
        raise PerpoolError(f"{out} is a file, not a directory; choose another --out")
    if not any(out.iterdir()):
        return
    if not (out / MANIFEST).is_file():
        raise PerpoolError(f"{out} is not empty and is not a run directory (no {MANIFEST}); choose another --out")
    if not overwrite:
        raise PerpoolError(f"{out} already holds a run; choose another --out or pass --overwrite to replace it")


def _new_sibling(out: Path, purpose: str) -> Path:
    """A fresh hidden directory next to `out`, on the same file system so that a rename is atomic."""
    stem = f".{out.name}.{purpose}-{os.getpid()}"
    for attempt in range(1_000):
        path = out.with_name(stem if attempt == 0 else f"{stem}-{attempt}")
        try:
            path.mkdir()
        except FileExistsError:
            continue  # left by a killed process of the same number, or another writer of this one
        return path
    raise PerpoolError(f"cannot find a free name beside {out}; remove the {stem}* directories")


def _move_into_place(source: Path, out: Path) -> None:
    """Rename `source` to `out`; an old run there steps aside first and comes back if that fails."""
    if not out.exists():
        source.rename(out)
    elif not any(out.iterdir()):
        out.rmdir()
        source.rename(out)
    else:
        aside = _new_sibling(out, "replaced")
        aside.rmdir()
        out.rename(aside)
        try:
            source.rename(out)
        except BaseException:
            aside.rename(out)
            raise
        shutil.rmtree(aside, ignore_errors=True)
    _fsync(out.parent)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def load_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a run directory; raises PerpoolError when `path` is no run, or one of a newer perpool."""
    path = Path(path)
    file = path / MANIFEST
    if not path.exists():
        raise PerpoolError(f"{path} does not exist; give the run directory that `perpool run --out` wrote")
    if not file.is_file():
        inside = sorted(child.parent.name for child in path.glob(f"*/{MANIFEST}")) if path.is_dir() else []
        hint = f"; runs inside it: {', '.join(inside[:5])}" if inside else "; give what `perpool run --out` wrote"
        raise PerpoolError(f"{path} is not a run directory (no {MANIFEST}){hint}")
    try:
        manifest: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PerpoolError(f"{file}: cannot be read as JSON ({error}); run the backtest again") from error
    version = manifest.get("format_version") if isinstance(manifest, dict) else None
    if not isinstance(version, int):
        raise PerpoolError(f"{file}: has no format_version; it was not written by perpool")
    if version > FORMAT_VERSION:
        raise PerpoolError(
            f"{file}: format version {version} is newer than this perpool reads ({FORMAT_VERSION}); upgrade perpool"
        )
    if version < FORMAT_VERSION:
        raise PerpoolError(
            f"{file}: format version {version} was written by an older perpool (this one reads {FORMAT_VERSION}); "
            "run the backtest again"
        )
    _require(path, (f"{table}.parquet" for table in columns.TABLES))
    return manifest


def _require(path: Path, names: Iterable[str]) -> None:
    missing = [name for name in names if not (path / name).is_file()]
    if missing:
        raise PerpoolError(f"{path}: {missing[0]} is missing; the run directory is damaged, run the backtest again")


def labels_of(manifest: Mapping[str, Any]) -> Labels:
    """Symbols behind the market and custody codes of a run."""
    return Labels(
        tuple(market["symbol"] for market in manifest["markets"]),
        tuple(custody["symbol"] for custody in manifest["custodies"]),
    )


def rules_of(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The protocol as the run began, then as each dated change left it; empty where a manifest says nothing."""
    return [manifest.get("protocol") or {}, *(change["protocol"] for change in manifest.get("changes") or ())]
