"""Rounds of a Chainlink feed as prices at the time of their update, in the order of the rounds."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from backtest.errors import PerpoolError
from backtest.history import text
from backtest.history.rows import Options, Place, Rows, refuse
from backtest.history.sources import Member, members
from backtest.history.times import from_epoch

_NAMES = {"round": ("round", "roundid"), "answer": ("answer",), "update": ("update", "updatedat")}


def chainlink(file: Path, options: Options) -> Iterator[Rows]:
    """Rounds as CSV; newest first or last. A feed has some ten thousand rounds a year, so a file is read whole."""
    for member in members(file):
        names = text.cells(text.head(member)[0])
        there = {name.lower(): name for name in names}
        found = {field: there[name] for field, known in _NAMES.items() for name in known if name in there}
        missing = [field for field in _NAMES if field not in found]
        if missing:
            raise PerpoolError(
                f"{member.name}: column {', '.join(missing)} is missing (there are: {', '.join(names)}); "
                "expected round, answer, start, update, answeredInRound"
            )
        kinds = {found["round"]: text.WORD, found["answer"]: text.NUMBER, found["update"]: text.WHOLE}
        yield _rounds(member, text.Layout(names, kinds, header=True), found, options.decimals)


def _rounds(member: Member, layout: text.Layout, found: dict[str, str], decimals: int) -> Rows:
    parts = list(text.batches(member, layout))
    frame, place = pl.concat([part for part, _ in parts]), parts[0][1]
    rounds = _numbers(frame[found["round"]], found["round"], place)
    order = rounds.arg_sort()
    prices = frame.select(
        from_epoch(frame[found["update"]], "s").alias("timestamp"),
        (pl.col(found["answer"]) / 10**decimals).alias("price"),
    )
    return Rows(
        prices[order], lambda row: place(int(order[row])), {"timestamp": found["update"], "price": found["answer"]}
    )


def _numbers(raw: pl.Series, column: str, place: Place) -> pl.Series:
    """Round ids: the phase of the feed stands above bit 64, so they need more than int64."""
    rounds = raw.cast(pl.Int128, strict=False)
    if rounds.null_count():
        at = int(rounds.is_null().arg_max() or 0)
        refuse(place, at, column, f"{raw[at] or ''!r} is no round id; expected a whole number")
    return rounds
