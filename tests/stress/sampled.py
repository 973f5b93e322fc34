"""Records of a run's files as the kernels write them."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from backtest import columns
from backtest.rundir import labels_of


def sampled(path: Path, table: str, at_us: int) -> np.ndarray:
    """The records of one tick in a table of a run."""
    labels = labels_of(json.loads((path / "manifest.json").read_text()))
    records = columns.to_records(table, pq.read_table(path / f"{table}.parquet"), labels)
    found = records.view(columns.RECORDS[table])[:, 0]
    return found[found["timestamp"] == at_us]
