"""The run directory: whole or absent, the same hash however the rows arrive, clear refusals."""

import json
import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from backtest import columns, tablefile
from backtest.errors import PerpoolError
from backtest.rundir import FORMAT_VERSION, RunWriter, labels_of, load_manifest, result_hash
from backtest.tablefile import read_digests
from kernels import state
from tests import handmade


def test_a_run_is_six_tables_and_a_manifest(tmp_path):
    out = handmade.write(tmp_path / "deep" / "run")
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [*(f"{table}.parquet" for table in columns.TABLES), "manifest.json"]
    )
    manifest = load_manifest(out)
    assert manifest["name"] == "handmade"
    assert manifest["format_version"] == FORMAT_VERSION
    assert manifest["tables"]["events"]["rows"] == 13
    assert manifest["tables"]["events"]["bytes"] == (out / "events.parquet").stat().st_size
    assert list(tmp_path.joinpath("deep").iterdir()) == [out]


def test_files_keep_types_units_and_compression(tmp_path):
    out = handmade.write(tmp_path / "run")
    file = pq.ParquetFile(out / "events.parquet")
    assert file.schema_arrow.field("pnl_usd").metadata[b"unit"] == b"USD"
    group = file.metadata.row_group(0)
    stored = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    assert stored["pnl_usd"].physical_type == "INT64"
    assert stored["pnl_usd"].compression == "ZSTD"
    assert stored["timestamp"].statistics is not None
    assert "RLE_DICTIONARY" in stored["kind"].encodings


def test_the_hash_does_not_depend_on_how_the_rows_arrive(tmp_path, monkeypatch):
    rng = np.random.default_rng(5)
    rows = rng.integers(0, 10**12, (10_000, len(state.LP_SAMPLE.names)))
    hashes = set()
    for number, (cuts, group) in enumerate(
        [([], 262_144), ([1, 2, 5_000], 1_000), (list(range(0, 10_000, 999)), 4_096)]
    ):
        monkeypatch.setattr(tablefile, "ROW_GROUP", group)
        with RunWriter(tmp_path / str(number), handmade.LABELS) as writer:
            for part in np.split(rows, cuts):
                block = part.copy()
                writer.append("lp", block)
                block[:] = -7  # the caller's buffer is free again at once
            writer.finish(handmade.MANIFEST)
        found = pq.read_table(tmp_path / str(number) / "lp.parquet")
        np.testing.assert_array_equal(columns.to_records("lp", found, handmade.LABELS), rows)
        hashes.add(load_manifest(tmp_path / str(number))["result_hash"])
    assert len(hashes) == 1


def test_row_groups_are_full_however_small_the_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(tablefile, "ROW_GROUP", 100)
    with RunWriter(tmp_path / "run", handmade.LABELS) as writer:
        for _ in range(33):
            writer.append("lp", np.zeros(7, state.LP_SAMPLE))
        out = writer.finish(handmade.MANIFEST)
    file = pq.ParquetFile(out / "lp.parquet")
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [100, 100, 31]


def test_the_files_read_back_to_the_same_digests(tmp_path):
    out = handmade.write(tmp_path / "run")
    manifest = load_manifest(out)
    digests = read_digests(out, labels_of(manifest))
    assert digests == {name: entry["sha256"] for name, entry in manifest["tables"].items()}
    assert result_hash(digests) == manifest["result_hash"]


def test_an_empty_run_is_a_run(tmp_path):
    with RunWriter(tmp_path / "run", handmade.LABELS) as writer:
        out = writer.finish(handmade.MANIFEST)
    manifest = load_manifest(out)
    assert read_digests(out, handmade.LABELS) == {name: e["sha256"] for name, e in manifest["tables"].items()}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_writer_leaves_nothing(tmp_path, error):
    def interrupted() -> None:
        with RunWriter(tmp_path / "run", handmade.LABELS) as writer:
            writer.append("lp", np.zeros(7, state.LP_SAMPLE))
            assert [path.name for path in tmp_path.iterdir()] == [f".run.partial-{os.getpid()}"]
            raise error

    with pytest.raises(error):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_a_writer_without_finish_leaves_nothing(tmp_path):
    with RunWriter(tmp_path / "run", handmade.LABELS):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_background_thread_reaches_the_caller(tmp_path):
    bad = np.zeros(1, state.LP_SAMPLE)
    bad["aum_usd"] = 10**18
    with pytest.raises(PerpoolError, match=r"lp\.parquet: column aum_usd, row 0"):
        _write_lp(tmp_path / "run", bad)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_clear_message(tmp_path, monkeypatch):
    def full(self, rows):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tablefile.TableWriter, "add", full)
    with pytest.raises(PerpoolError, match=r"cannot write the run directory .*No space left"):
        # more blocks than the queue holds: the caller must not wait for ever
        _write_lp(tmp_path / "run", *[np.zeros(1, state.LP_SAMPLE)] * 50)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_run_is_replaced_only_when_asked_and_only_at_the_end(tmp_path):
    out = handmade.write(tmp_path / "run")
    before = load_manifest(out)["result_hash"]
    with pytest.raises(PerpoolError, match=r"already holds a run; .*--overwrite"):
        handmade.write(out)
    with pytest.raises(RuntimeError), RunWriter(out, handmade.LABELS, overwrite=True):
        raise RuntimeError
    assert load_manifest(out)["result_hash"] == before
    with RunWriter(out, handmade.LABELS, overwrite=True) as writer:
        assert load_manifest(out)["result_hash"] == before
        writer.finish(handmade.MANIFEST)
    assert load_manifest(out)["result_hash"] != before
    assert list(tmp_path.iterdir()) == [out]


def test_an_empty_directory_may_be_filled(tmp_path):
    tmp_path.joinpath("run").mkdir()
    assert load_manifest(handmade.write(tmp_path / "run"))


@pytest.mark.parametrize("overwrite", [False, True])
def test_other_peoples_files_are_never_replaced(tmp_path, overwrite):
    tmp_path.joinpath("thesis.txt").write_text("years of work")
    with (
        pytest.raises(PerpoolError, match="is not empty and is not a run directory"),
        RunWriter(tmp_path, handmade.LABELS, overwrite=overwrite),
    ):
        pass
    with (
        pytest.raises(PerpoolError, match="is a file"),
        RunWriter(tmp_path / "thesis.txt", handmade.LABELS, overwrite=overwrite),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_manifest_of_other_symbols_is_a_mistake_of_the_caller(tmp_path):
    with (
        pytest.raises(ValueError, match="manifest markets"),
        RunWriter(tmp_path / "run", handmade.LABELS) as writer,
    ):
        writer.finish(handmade.MANIFEST | {"markets": [{"symbol": "BTC"}]})
    assert list(tmp_path.iterdir()) == []


def test_records_of_another_table_are_a_mistake_of_the_caller(tmp_path):
    with pytest.raises(ValueError, match="lp: want records"), RunWriter(tmp_path / "run", handmade.LABELS) as writer:
        writer.append("lp", np.zeros(1, state.EVENT))


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(PerpoolError, match="does not exist"):
        load_manifest(tmp_path / "nowhere")
    handmade.write(tmp_path / "runs" / "a")
    with pytest.raises(PerpoolError, match=r"not a run directory .*runs inside it: a$"):
        load_manifest(tmp_path / "runs")
    with pytest.raises(PerpoolError, match="give what `perpool run --out` wrote"):
        load_manifest(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "has no format_version"),
        (json.dumps({"format_version": 99}), "format version 99 is newer"),
        (json.dumps({"format_version": 1}), "format version 1 was written by an older perpool"),
        (json.dumps({"format_version": FORMAT_VERSION}), "lp.parquet is missing"),
    ],
)
def test_a_damaged_or_newer_manifest_is_refused(tmp_path, text, message):
    out = handmade.write(tmp_path / "run")
    Path(out / "manifest.json").write_text(text)
    (out / "lp.parquet").unlink()
    with pytest.raises(PerpoolError, match=message):
        load_manifest(out)


def _write_lp(out, *blocks):
    with RunWriter(out, handmade.LABELS) as writer:
        for block in blocks:
            writer.append("lp", block)
        writer.finish(handmade.MANIFEST)
