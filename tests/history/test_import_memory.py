"""The memory of an import, in a process of its own."""

import json
import subprocess
import sys

import pytest

from benchmarks.prices_import import MINUTES, write_csv
from tests.shell import environment

_PROCESS = """
import json, resource, sys
from pathlib import Path
from backtest.history.importing import import_prices
report = import_prices("columns", [sys.argv[1]], Path(sys.argv[2]))
print(json.dumps([report.symbols[0].total, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ru_maxrss counts KiB on Linux only")
def test_a_year_of_minutes_of_three_symbols_needs_less_than_a_gigabyte(tmp_path):
    write_csv(tmp_path / "prices.csv", MINUTES)
    words = [sys.executable, "-c", _PROCESS, str(tmp_path / "prices.csv"), str(tmp_path / "out")]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, check=True)
    total, peak_kib = json.loads(done.stdout)
    assert total == MINUTES
    assert peak_kib * 1024 < 1e9
