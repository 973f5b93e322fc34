"""What must hold between the values of a protocol, each fault with its reason.

Types and limits are `config`'s; which mechanisms go together is `config_mixes`'.
"""

import re
from collections.abc import Iterator
from datetime import date
from itertools import pairwise

from backtest.calendars import faults as calendar_faults
from backtest.config import Custody, Fees, Market, Protocol
from backtest.config_mixes import mixes
from backtest.errors import UsageError
from backtest.mechanisms import missing
from backtest.toml_files import exact, hint, show

_SYMBOL = re.compile(r"[A-Za-z0-9_-]+")
_MOST_ROWS = 120  # codes of custodies and markets are written as int8
_SUFFIX = re.compile(r"\.(low|high|ema)$")
_TIERS = 3
_WHOLE_BPS = 10_000


def check(protocol: Protocol, where: str) -> None:
    """Raise a `UsageError` with the first fault of `protocol`, if it has one."""
    for fault in faults(protocol):
        raise UsageError(f"{where}: {fault}")


def faults(protocol: Protocol) -> Iterator[str]:
    """Every inconsistency, as `key path: what is wrong; what to do`."""
    if protocol.as_of:
        try:
            date.fromisoformat(protocol.as_of)
        except ValueError:
            yield f'as_of = "{protocol.as_of}" is not a date; write 2024-10-01'
    yield from _rows("custody", [row.symbol for row in protocol.custody])
    yield from _rows("market", [row.symbol for row in protocol.market])
    yield from _prices(protocol)
    yield from _fees(protocol.fees, protocol)
    for custody in protocol.custody:
        yield from _custody(custody)
    yield from _targets(protocol)
    yield from _idle(protocol)
    custodies = {row.symbol: row for row in protocol.custody}
    for market in protocol.market:
        yield from _market(market, custodies)
    yield from missing(protocol)
    yield from mixes(protocol)
    yield from calendar_faults(protocol)


def _prices(protocol: Protocol) -> Iterator[str]:
    for table, rows in (("custody", protocol.custody), ("market", protocol.market)):
        for row in rows:
            if _SUFFIX.search(row.price):
                yield f'{table}.{row.symbol}.price = "{row.price}" is named like a part of a quote; rename it'


def _rows(table: str, symbols: list[str]) -> Iterator[str]:
    if not symbols:
        yield f"{table} has no rows; add a [[{table}]]"
    if len(symbols) > _MOST_ROWS:
        yield f"{table} has {len(symbols)} rows; at most {_MOST_ROWS} are possible"
    for symbol in symbols:
        if not _SYMBOL.fullmatch(symbol):
            yield f'{table} symbol "{symbol}" is not possible; use letters, digits, - and _'
        if symbols.count(symbol) > 1:
            yield f"{table} names {symbol} twice; keep one"


def _fees(fees: Fees, protocol: Protocol) -> Iterator[str]:
    shares = (fees.lp_share_bps, fees.lm_share_bps, fees.protocol_share_bps)
    if sum(shares) != _WHOLE_BPS:
        yield (
            f"fees: lp_share_bps {shares[0]} + lm_share_bps {shares[1]} + protocol_share_bps {shares[2]} = "
            f"{sum(shares)}, not 10000; the three share the whole fee"
        )
    if fees.referrer_share_bps > fees.lm_share_bps + fees.protocol_share_bps:
        yield (
            f"fees.referrer_share_bps = {fees.referrer_share_bps} is more than lm_share_bps + protocol_share_bps = "
            f"{fees.lm_share_bps + fees.protocol_share_bps}; the referrer is paid out of these two"
        )
    tiers = fees.close_fee_tiers
    if len(tiers) > _TIERS:
        yield f"fees.close_fee_tiers has {len(tiers)} tiers; at most {_TIERS} are possible"
    if protocol.mechanisms.close_fee == "age_tiers" and not tiers:
        yield 'fees.close_fee_tiers is empty but mechanisms.close_fee = "age_tiers" reads it; add tiers'
    ends = [0, *(tier.until_s for tier in tiers)]
    if any(later <= earlier for earlier, later in pairwise(ends)):
        listed = ", ".join(map(str, ends[1:]))
        yield f"fees.close_fee_tiers: until_s must rise from tier to tier and be above 0, not {listed}; sort them"
    yield from _distribution(fees.distribution_custody, protocol)


def _distribution(name: str, protocol: Protocol) -> Iterator[str]:
    if not name:
        return
    custodies = {row.symbol: row for row in protocol.custody}
    if name not in custodies:
        yield f'fees.distribution_custody = "{name}" is not a custody; {hint(name, custodies)}'
    elif not custodies[name].stable:
        yield f'fees.distribution_custody = "{name}" is not stable; debts in dollars are paid one to one in a stable'


def _custody(row: Custody) -> Iterator[str]:
    at = f"custody.{row.symbol}"
    if row.max_borrow_per_hour is not None and row.mid_borrow_per_hour > row.max_borrow_per_hour:
        yield (
            f"{at}.mid_borrow_per_hour = {show(row.mid_borrow_per_hour)} is above max_borrow_per_hour = "
            f"{show(row.max_borrow_per_hour)}; the rate at the kink cannot exceed the rate at full utilisation"
        )
    yearly = (row.min_borrow_per_year_bps, row.target_borrow_per_year_bps, row.max_borrow_per_year_bps)
    given = [value for value in yearly if value is not None]
    if given != sorted(given):
        yield f"{at}: min, target and max_borrow_per_year_bps are {', '.join(map(str, given))}; they must not fall"
    if row.peg != "none" and not row.stable:
        yield f'{at}.peg = "{row.peg}" but the custody is not stable; only a stable is taken for a dollar'
    if row.fee_optimal_bps is not None and row.fee_max_bps is not None and row.fee_optimal_bps > row.fee_max_bps:
        yield f"{at}.fee_optimal_bps = {row.fee_optimal_bps} is above fee_max_bps = {row.fee_max_bps}; swap them"
    if not row.ratio_min_bps <= row.ratio_max_bps:
        yield f"{at}.ratio_min_bps = {row.ratio_min_bps} is above ratio_max_bps = {row.ratio_max_bps}; swap them"
    if row.ratio_target_bps and not row.ratio_min_bps <= row.ratio_target_bps <= row.ratio_max_bps:
        yield (
            f"{at}.ratio_target_bps = {row.ratio_target_bps} is outside ratio_min_bps..ratio_max_bps = "
            f"{row.ratio_min_bps}..{row.ratio_max_bps}; the target lies between the two"
        )
    for key in ("minimum_tokens", "buffer_tokens"):
        tokens = getattr(row, key)
        try:
            exact(tokens, 10**row.decimals)
        except ValueError:
            yield f"{at}.{key} = {show(tokens)} is finer than the token's {row.decimals} decimals; round it"


def _targets(protocol: Protocol) -> Iterator[str]:
    total = sum(row.ratio_target_bps for row in protocol.custody)
    if total not in (0, _WHOLE_BPS):
        parts = " + ".join(f"{row.symbol} {row.ratio_target_bps}" for row in protocol.custody)
        yield f"custody.*.ratio_target_bps: {parts} = {total}, not 10000; targets are shares of the pool (or all 0)"


def _idle(protocol: Protocol) -> Iterator[str]:
    """A mechanism that is chosen, but whose numbers make it charge nothing anywhere."""
    chosen = protocol.mechanisms
    if chosen.borrow == "two_slope":
        for row in protocol.custody:
            if row.max_borrow_per_hour and not row.mid_borrow_per_hour and row.optimal_utilisation_bps == _WHOLE_BPS:
                yield (
                    f'custody.{row.symbol}: mechanisms.borrow = "two_slope" with mid_borrow_per_hour 0 at '
                    "optimal_utilisation_bps 10000 never charges; set both"
                )
    if chosen.funding == "imbalance" and not any(
        row.max_funding_per_hour and row.funding_sensitivity_bps for row in protocol.market
    ):
        yield (
            'market.*: mechanisms.funding = "imbalance" never charges, as max_funding_per_hour or '
            "funding_sensitivity_bps is 0 in every market; set both"
        )


def _market(row: Market, custodies: dict[str, Custody]) -> Iterator[str]:
    at = f"market.{row.symbol}"
    if not row.long_custody and not row.short_custody:
        yield f"{at}: neither long_custody nor short_custody is named, so no side is offered; name one, or drop the row"
    for key, name in (("long_custody", row.long_custody), ("short_custody", row.short_custody)):
        if name and name not in custodies:
            yield f'{at}.{key} = "{name}" is not a custody; {hint(name, custodies)}'
    short = custodies.get(row.short_custody)
    if short is not None and not short.stable:
        yield f'{at}.short_custody = "{row.short_custody}" is not stable; shorts lock dollars, name a stable custody'
    if row.payoff_short_bps > _WHOLE_BPS:
        yield (
            f"{at}.payoff_short_bps = {row.payoff_short_bps} is above 10000; a short cannot win more than its "
            "notional, so more would be locked than it can be paid"
        )
    yield from _leverage(row, at)


def _leverage(row: Market, at: str) -> Iterator[str]:
    if row.max_initial_leverage is None:
        return
    if row.min_initial_leverage > row.max_initial_leverage:
        yield (
            f"{at}.min_initial_leverage = {show(row.min_initial_leverage)}x is above max_initial_leverage = "
            f"{show(row.max_initial_leverage)}x; no position could open"
        )
    if row.max_initial_leverage > row.max_leverage:
        yield (
            f"{at}.max_initial_leverage = {show(row.max_initial_leverage)}x is above max_leverage = "
            f"{show(row.max_leverage)}x; a position could open and be liquidated at once"
        )
