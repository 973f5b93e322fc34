"""`perpool prices import`: price files of many kinds into one dataset."""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backtest.cli.options import WholeNumber

if TYPE_CHECKING:
    from backtest.history.importing import Announce, Report

_REPAIRS = "Repairs by name, separated by commas: drop-zero, drop-incomplete, keep-last."


@click.command(name="import")
@click.argument("format_", metavar="FORMAT")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--symbol", help="Symbol of the rows, such as SOL or USDC/USD; of a file with many: take this one only.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the dataset, new or not.")
@click.option("--repair", help=_REPAIRS)
@click.option("--map", "mapping", multiple=True, metavar="FIELD=COLUMN,...", help="Names of the columns (columns).")
@click.option("--decimals", type=WholeNumber(0, 30), default=8, show_default=True, help="Of an answer (chainlink).")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def import_(
    format_: str,
    paths: tuple[str, ...],
    symbol: str | None,
    out: Path,
    repair: str | None,
    mapping: tuple[str, ...],
    decimals: int,
    as_json: bool,
) -> None:
    """Add price files, folders or globs to a dataset: one Parquet file per symbol, sorted, in UTC.

    \b
    FORMAT is one of
      binance      klines of Binance's public data: zip or csv
      ccxt         OHLCV lists: JSON, or csv of time, open, high, low, close, volume
      freqtrade    Feather or Parquet with date, open, high, low, close, volume
      tradingview  JSON {s, t, o, h, l, c, v}, as Pyth's benchmarks service answers
      lean         LEAN's zip or csv: quote bars (mid price, half the spread as
                   confidence) and trade bars; times are taken as UTC
      chainlink    csv of rounds: round, answer, start, update, answeredInRound
      columns      any csv, Parquet or Feather with a header, by --map

    Fields of --map: timestamp, symbol, price or open, high, low, close; volume, min (bid), max (ask), confidence, ema.
    A field that is not mapped is the column of that name, if there is one; FIELD= leaves it out. Times may be ISO 8601
    text or numbers since 1970 in s, ms, µs or ns; text without a zone is taken as UTC.

    Nothing is corrected unless --repair names it, and no price ever changes: drop-zero drops rounds and candles that
    never were, drop-incomplete rows without a time or a price, keep-last all but the last row of a time. Rows are
    always sorted. A file that is there already is skipped, rows that agree with it are merged, and the first one that
    contradicts is refused.

    \b
    Example:
      perpool prices import binance SOLUSDT-1m-2025-*.zip --symbol SOL --out prices
      perpool prices import chainlink btc_usd.csv --symbol BTC --out feeds --repair drop-zero,keep-last
      perpool prices import columns all.csv --map timestamp=open_time --out prices
    """
    from backtest.history.columns import parse_mapping
    from backtest.history.importing import import_prices
    from backtest.history.rows import Options

    options = Options(symbol, parse_mapping(mapping), decimals)
    repairs = [name.strip() for name in repair.split(",")] if repair else []
    with _progress() as announce:
        report = import_prices(format_, paths, out, options=options, repairs=repairs, announce=announce)
    if as_json:
        from dataclasses import asdict

        click.echo(json.dumps({"out": str(out)} | asdict(report), indent=2))
    else:
        _print(report, out)


@contextlib.contextmanager
def _progress() -> Iterator["Announce"]:
    """A bar of files and rows on a terminal's stderr; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        TextColumn("importing"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files, {task.fields[rows]:,} rows"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("import", total=None, rows=0)
        yield lambda done, files, rows: bar.update(task, completed=done, total=files, rows=rows)


def _print(report: "Report", out: Path) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    if report.symbols:
        mended = [", ".join(f"{name} {n:,}" for name, n in found.repairs.items() if n) for found in report.symbols]
        headings = ["symbol", "new rows", "rows", "from", "to", "candles", *(["repaired"] if any(mended) else [])]
        table = Table(box=SIMPLE, pad_edge=False)
        for name in headings:
            table.add_column(name, justify="right" if name.endswith("rows") else "left", no_wrap=name != "repaired")
        for found, repaired in zip(report.symbols, mended, strict=True):
            span = (short(found.first), short(found.last), _length(found.interval_s))
            cells = (found.symbol, f"{found.new:,}", f"{found.total:,}", *span, repaired or "-")
            table.add_row(*cells[: len(headings)])
        console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 120)
        console.print(table)
    for count, text in (
        (len(report.skipped), "already there, skipped"),
        (len(report.naive), "without a time zone, taken as UTC"),
    ):
        if count:
            click.echo(f"{count:,} {'file' if count == 1 else 'files'} {text}")
    click.echo(f"\nThe dataset is in {out}, one file per symbol. Next:")
    click.echo(f"  perpool prices check {out}          gaps, duplicates, stale prices, outliers")
    click.echo(f"  perpool run --prices {out}          replay a venue over it")


def short(time: str) -> str:
    """A time to the minute where it is a whole one."""
    return time.replace("T", " ").removesuffix("Z").removesuffix(":00")


def _length(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    units = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
    return next((f"{seconds / size:g} {unit}" for size, unit in units if seconds % size == 0), f"{seconds:g} s")
