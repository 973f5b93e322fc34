"""The full pass `mark` over ten million positions, against a copy of as many bytes in the same run."""

from typing import Any

import numpy as np

from backtest.errors import PerpoolError
from kernels.mark import MarkColumns, MarkQuote, MarkResult, mark

from .timing import Say, interleaved

_QUOTE = MarkQuote(1.0, 101.0, 100.9, 1.1e6, 2.0e5, 1.0e6)


def run(full: bool, say: Say) -> dict[str, Any]:
    """Parity with NumPy, then time per position and bytes per second; the same size with and without `full`."""
    check_parity()
    n = 10_000_000
    say(f"mark: {n:,} positions")
    columns, out = _some_columns(n), _empty_result(n)
    row_bytes = 8 * (len(columns) + len(out))
    # As many bytes read and written: half a row is read from the columns, half a row written to others.
    pairs = row_bytes // 16
    single, target = np.zeros(n * pairs), np.ones(n * pairs)
    spare = target.reshape(pairs, n)
    found = interleaved(
        {
            "mark": lambda: mark(columns, _QUOTE, out),
            "copy": lambda: [np.copyto(to, column) for to, column in zip(spare, columns, strict=False)],
            "one_copy": lambda: np.copyto(target, single),
        },
        9,
    )
    speed = {name: row_bytes * n / taken for name, taken in found.items()}
    small = n // 10
    part, part_out = _some_columns(small), _empty_result(small)
    numpy = interleaved({"mark": lambda: mark(part, _QUOTE, part_out), "numpy": lambda: _plain(part, _QUOTE)}, 5)
    return {
        "ratio_to_copy": speed["mark"] / speed["copy"],
        "ratio_to_one_copy": speed["mark"] / speed["one_copy"],
        "ratio_to_numpy": numpy["numpy"] / numpy["mark"],
        "positions": n,
        "bytes_per_position": row_bytes,
        "nanoseconds_per_position": found["mark"] / n * 1e9,
        "bytes_per_s": speed["mark"],
        "copy_bytes_per_s": speed["copy"],
        "one_copy_bytes_per_s": speed["one_copy"],
        "note": f"one thread; copy: {pairs} columns to {pairs} others, bytes read plus bytes written; one_copy: the "
        "same bytes as one array, which libc copies past the caches (stores that read nothing first)",
    }


def check_parity(n: int = 100_000) -> None:
    """`mark` equals its documented equations in NumPy to a few micro-dollars; raises if not."""
    for quote in (_QUOTE, _QUOTE._replace(sign=-1.0), _QUOTE._replace(price=60.0)):
        columns, out = _some_columns(n), _empty_result(n)
        mark(columns, quote, out)
        plain = _plain(columns, quote)
        solid = np.abs(plain.equity_usd) > 1.0  # leverage on a few cents of equity shows every micro-dollar
        for name, found, expected in zip(MarkResult._fields, out, plain, strict=True):
            if not np.allclose(found[solid], expected[solid], rtol=1e-5, atol=5e-6):
                raise PerpoolError(f"mark and NumPy disagree on {name}: it is not measured; please report it")


def _some_columns(n: int) -> MarkColumns:
    """Positions around $100, 1.2x to 50x, read-only as columns from Arrow are."""
    draw = np.random.Generator(np.random.PCG64(1))
    entry = draw.uniform(90.0, 110.0, n)
    collateral = np.round(draw.uniform(10.0, 1_000.0, n), 6)
    size = np.round(collateral * np.exp(draw.uniform(np.log(1.2), np.log(50.0), n)), 6)
    columns = MarkColumns(
        entry_price=entry,
        size_usd=size,
        collateral_usd=collateral,
        exit_fee_usd=np.round(size * 0.0016, 6),
        liquidation_fee_usd=np.round(size * 0.002, 6),
        interest_usd=np.round(size * 1e-5, 6),
        funding_usd=np.zeros(n),
        index_snapshot=np.floor(draw.uniform(0.0, 1e6, n)),
        funding_snapshot=np.zeros(n),
        locked_tokens=size / entry,
    )
    for column in columns:
        column.flags.writeable = False
    return columns


def _empty_result(n: int) -> MarkResult:
    return MarkResult(*(np.zeros(n) for _ in MarkResult._fields))


def _plain(c: MarkColumns, q: MarkQuote) -> MarkResult:
    """The equations of kernels/mark.py as NumPy expressions, without the rounding to micro-dollars."""
    borrow = c.size_usd * (q.index - c.index_snapshot) / 1e9 + c.interest_usd
    funding = q.sign * c.size_usd * (q.funding_index - c.funding_snapshot) / 1e9 + c.funding_usd
    moved = q.sign * c.size_usd * (q.price - c.entry_price) / c.entry_price
    costs = c.exit_fee_usd + borrow + funding
    cap = c.locked_tokens * q.low_price
    result = np.where((moved > 0) & (moved - costs > cap), cap, moved - costs)
    equity = c.collateral_usd + result
    floor = c.size_usd * 1e4 / (q.max_leverage_bps + 1.0)
    fee = np.maximum(c.liquidation_fee_usd, c.exit_fee_usd)
    room = c.collateral_usd - fee - borrow - funding - floor
    price = np.maximum(c.entry_price * (1.0 - q.sign * room / c.size_usd), 0.0)
    hopeless = np.inf if q.sign > 0 else 0.0
    with np.errstate(divide="ignore"):
        leverage = np.where(equity > 0.0, c.size_usd / equity, np.inf)
    price = np.where(c.collateral_usd + cap > floor, price, hopeless)
    return MarkResult(result + costs, borrow, funding, equity, leverage, price)
