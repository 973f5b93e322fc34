"""What `perpool prices scenario` refuses: one line, its exit code, and nothing left on disk."""

from pathlib import Path

import numpy as np
import pytest

from backtest.errors import PerpoolError
from backtest.synthetic import make
from backtest.synthetic.tracks import Track
from tests.shell import MINUTE, T0, perpool
from tests.synthetic.histories import clustered, drawn, prices, write


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """old.parquet: 1,000 minutes of SOL and BTC."""
    monkeypatch.chdir(tmp_path)
    write(Path("old.parquet"), drawn(1_000))


def refused(options: str, message: str, code: int = 2, source: str = "old.parquet") -> None:
    done = perpool(f"prices scenario --from {source} {'' if '--out' in options else '--out new '}{options}")
    assert (done.code, done.out, done.err) == (code, "", f"error: {message}\n")
    assert not Path("new").exists()
    assert not [path for path in Path.cwd().iterdir() if path.name.startswith(".")]


FAULTS: dict[str, tuple[str, str, int]] = {
    "block of another method": (
        "--method gbm --block 1h",
        "--block belongs to --method bootstrap, not to gbm; leave it out",
        2,
    ),
    "drift of another method": (
        "--method none --drift 0",
        "--drift belongs to --method gbm, not to none; leave it out",
        2,
    ),
    "innovations of another method": (
        "--method gbm --innovations t",
        "--innovations belongs to --method garch, not to gbm; leave it out",
        2,
    ),
    "drift that is no number": (
        "--method gbm --drift nan",
        "--drift nan is no growth a year; give a number such as 0 or 0.5",
        2,
    ),
    "block longer than the history": (
        "--method bootstrap",
        "--block 1d is not possible: the history has 999 steps of 1m; give one step at least and the whole "
        "history at most",
        2,
    ),
    "block shorter than a step": (
        "--method bootstrap --block 30s",
        "--block 30s is not possible: the history has 999 steps of 1m; give one step at least and the whole "
        "history at most",
        2,
    ),
    "no duration": (
        "--method none --length 90",
        '--length "90" is not a duration; write a whole number and a unit (s, m, h, d), such as "15m"',
        2,
    ),
    "no time at all": ("--method none --every 0m", "--every 0m is no time at all; give a duration such as 1h", 2),
    "no date": ("--method none --start soon", "'soon' is not a date; write 2025-01-31 or 2025-01-31T12:00:00 (UTC)", 2),
    "window beside the history": (
        "--method none --start 2024-01-01 --length 1h",
        "from 2024-01-01T00:00:00Z for 1h there are fewer than two rows of BTC, which has 2025-01-01T00:00:00Z to "
        "2025-01-01T16:39:00Z; change --start or --length",
        2,
    ),
    "too short": ("--method gbm --length 1m", "--length 1m holds 1 rows of 1m; give two or more", 2),
    "too long": (
        "--method gbm --length 36500d",
        "--length makes 52,560,000 rows of 2 symbols, which is too much; shorten it or use --every",
        2,
    ),
    "too late": (
        "--method gbm --start 2199-12-31T23:00 --length 2h",
        "2199-12-31T23:00:00Z to 2200-01-01T01:00:00Z is not between 1970 and 2200; change --start or --length",
        2,
    ),
    "too little": (
        "--method gbm --every 1h",
        "the history has 18 rows at common timestamps, too few to learn from; give 30 or more",
        1,
    ),
    "too little for garch": (
        "--method garch --every 5m",
        "the history has 200 steps, too few for a GARCH fit, which needs 500; give a longer history, a smaller "
        "--every, or --method bootstrap",
        1,
    ),
    "finer clock": (
        "--method gbm --every 30s",
        "--every 30s is not possible: BTC has a row every 1m; give a whole multiple of that",
        2,
    ),
    "unknown symbol": (
        "--method gbm --symbols SOL,ETH",
        "old.parquet: no prices for ETH; the column symbol holds BTC, SOL; add the missing prices or map the symbol to "
        "one of these",
        1,
    ),
    "no symbol": (
        "--method gbm --symbols SOL,",
        "'' is no symbol; use letters, digits and . _ / : + -, such as SOL or USDC/USD",
        2,
    ),
    "no constant": (
        "--method none --keep USDC",
        "--keep USDC: '' is no price in US dollars; write it like USDC=1.0",
        2,
    ),
    "no price": (
        "--method none --keep USDC=0",
        "--keep USDC=0: '0' is no price in US dollars; write it like USDC=1.0",
        2,
    ),
    "kept and taken": (
        "--method none --symbols SOL --keep SOL=1",
        "SOL is named by --symbols and by --keep; choose one of them",
        2,
    ),
    "all kept": (
        "--method none --keep SOL=1 --keep BTC=1",
        "--keep names every symbol of the history, so nothing is left to make; leave one out",
        2,
    ),
    "growth beyond prices": (
        "--method gbm --drift 1e300",
        "the new price of BTC is inf US dollars at 2025-01-01T00:01:00Z, outside the range of prices, 1e-10 to "
        "9e+07; give a shorter --length, another --seed or --method, or a milder --shock",
        1,
    ),
    "shock outside of the span": (
        "--method none --shock SOL:-10%:gap@2025-02-01",
        "--shock SOL:-10%:gap@2025-02-01: from 2025-02-01T00:00:00Z to 2025-02-01T00:00:00Z is not within the span of "
        "SOL, 2025-01-01T00:00:00Z to 2025-01-01T16:39:00Z; move it, or make the history longer",
        2,
    ),
    "shock without a time": (
        "--method none --shock SOL:-10%:gap",
        "--shock SOL:-10%:gap: 'SOL:-10%:gap' has no @TIME; end it with a moment such as @2024-08-05T06:00",
        2,
    ),
    "out is a file": (
        "--method none --out old.parquet",
        "old.parquet is a file, not a folder; choose another --out",
        2,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults(name: str) -> None:
    options, message, code = FAULTS[name]
    refused(options, message, code)


def test_a_history_that_is_not_there() -> None:
    refused("--method none", "nothing.parquet: no such price file or folder; check the path", 1, "nothing.parquet")


@pytest.mark.parametrize(("change", "value"), [("+90000000%", "9.00001e+07"), ("-75%", "5e-11")])
def test_prices_beyond_what_a_run_reads(change: str, value: str) -> None:
    """100 dollars that rise almost a millionfold, and a price just above the lowest that falls to a quarter."""
    first = 100.0 if change[0] == "+" else 2e-10
    write(Path("hand.parquet"), {"SOL": prices([first] * 3)})
    shock = f"SOL:{change}:gap@2025-01-01T00:01"
    message = (
        f"the new price of SOL is {value} US dollars at 2025-01-01T00:01:00Z, outside the range of prices, 1e-10 to "
        "9e+07; give a shorter --length, another --seed or --method, or a milder --shock"
    )
    refused(f"--method none --shock {shock}", message, 1, "hand.parquet")


def test_what_is_not_known_of_a_row_stays_unknown_but_a_price_never_is() -> None:
    track = prices([100.0, 101.0])
    unknown = track.columns | {"min": np.array([99.0, np.nan])}
    make.check_prices("SOL", Track(track.times, unknown, MINUTE))
    with pytest.raises(PerpoolError, match=r"^the new price of SOL is nan US dollars at 2025-01-01T00:01:00Z, outside"):
        make.check_prices("SOL", prices([100.0, np.nan]))


def test_a_disk_that_fails_leaves_the_old_dataset(monkeypatch: pytest.MonkeyPatch) -> None:
    assert perpool("prices scenario --from old.parquet --method none --out new").code == 0
    before = Path("new/SOL.parquet").read_bytes()
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.name.endswith(".part"):
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    done = perpool("prices scenario --from old.parquet --method gbm --out new --overwrite")
    assert done.code == 1
    assert done.err == (
        f"error: {Path.cwd() / 'new'}: cannot be written ([Errno 28] No space left on device); free space or write "
        "elsewhere\n"
    )
    assert Path("new/SOL.parquet").read_bytes() == before
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["new", "old.parquet"]


def test_symbols_on_different_clocks() -> None:
    coarse = prices([1.0] * 100, step_us=5 * MINUTE, start_us=T0)
    write(Path("mixed.parquet"), {"SOL": clustered(500, seed=1)["SOL"], "BTC": coarse})
    message = (
        "SOL has a row every 1m, BTC every 5m; put them on one clock with --every 5m, or choose others with --symbols"
    )
    refused("--method gbm", message, 1, "mixed.parquet")
    for options in ("--method gbm --every 5m", "--method none"):
        assert perpool(f"prices scenario --from mixed.parquet {options} --overwrite --out new").code == 0
