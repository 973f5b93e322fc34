"""A population of traders and LPs: a frozen, typed description read from TOML, unknown keys refused.

The defaults here and in `configs/flows/uniform.toml` are the same numbers; the file explains them.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from backtest.errors import UsageError
from backtest.flows.sections import (
    AddedCollateral,
    Arrival,
    Dollars,
    Foresight,
    Holding,
    Leverage,
    Liquidity,
    MarketShare,
    PartialClose,
    Section,
    Side,
    StopLoss,
    TakeProfit,
)
from backtest.toml_files import build, read_toml


class FlowConfig(Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One population. Each quantity has its own random stream of (`seed`, `name`), so changing one moves no other.

    size: notional in dollars, in place of `collateral`, which is then size / leverage
    foresight: trades on the prices to come, in place of `arrival`, `side` and `holding`; None: it does not
    """

    name: str = "uniform"
    seed: int = 1
    positions: int = 10_000
    long_share: float = 0.6
    referred_share: float = 0.2
    markets: tuple[MarketShare, ...] = (
        MarketShare(market="SOL", weight=5.0),
        MarketShare(market="BTC", weight=4.0),
        MarketShare(market="BONK", weight=1.0),
    )
    arrival: Arrival = Arrival()
    side: Side = Side()
    leverage: Leverage = Leverage()
    collateral: Dollars = Dollars()
    size: Dollars | None = None
    holding: Holding = Holding()
    stop_loss: StopLoss = StopLoss()
    take_profit: TakeProfit = TakeProfit()
    partial_close: PartialClose = PartialClose()
    added_collateral: AddedCollateral = AddedCollateral()
    liquidity: Liquidity = Liquidity()
    foresight: Foresight | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.name:
            raise ValueError("name is empty; name the population, or leave it to the file's name")
        if not self.markets:
            raise ValueError("markets is empty; name at least one")
        names = [item.market for item in self.markets]
        if len(set(names)) < len(names):
            raise ValueError(f"markets names one twice: {', '.join(names)}; keep one")
        if sum(item.weight for item in self.markets) <= 0.0:
            raise ValueError("the weights of markets sum to 0; give one of them weight")
        _check_liquidation(self)
        _check_liquidity(self)
        _check_foresight(self)


def _check_liquidation(config: FlowConfig) -> None:
    """Stops and deposits that look at liquidation need room before it, at any leverage."""
    stop = config.stop_loss
    shares = {
        "stop_loss.share": stop.share,
        "added_collateral.near_liquidation": config.added_collateral.near_liquidation,
    }
    needed = [name for name, share in shares.items() if share]
    if needed and 1.0 / config.leverage.max <= 1.0 / stop.liquidation_leverage + stop.cost:
        raise ValueError(
            f"leverage.max {config.leverage.max:g} leaves no room for a stop before liquidation at "
            f"{stop.liquidation_leverage:g}x and a cost of {stop.cost:g}; lower it, or {' and '.join(needed)} to 0"
        )


def _check_liquidity(config: FlowConfig) -> None:
    pool = config.liquidity
    names = [item.market for item in config.markets]
    if pool.deposits and pool.style == "yield" and not config.positions:
        raise ValueError('liquidity.style = "yield" follows the volume of the positions, and there are none; give some')
    if pool.watch and pool.style != "panic":
        raise ValueError(f'liquidity.watch = "{pool.watch}" is of no use to style = "{pool.style}"; leave it out')
    if pool.watch and pool.watch not in names:
        raise ValueError(f'liquidity.watch = "{pool.watch}" is none of the markets ({", ".join(names)}); name one')


def _check_foresight(config: FlowConfig) -> None:
    if config.foresight is None:
        return
    for name, unused in (("arrival", config.arrival != Arrival()), ("side", config.side != Side())):
        if unused:
            raise ValueError(
                f"{name} is of no use beside foresight, which decides when and what to trade; leave it out"
            )


def load_flow(path: str | Path | None = None, *, positions: int | None = None, seed: int | None = None) -> FlowConfig:
    """Read a flow TOML (None: the defaults), with `positions` and `seed` replaced where given; else `UsageError`.

    A population that its file does not name is called like the file.
    """
    where = "flow" if path is None else str(path)
    raw = {} if path is None else {"name": Path(path).stem} | read_toml(Path(path))
    if {"collateral", "size"} <= raw.keys():
        raise UsageError(f"{where}: collateral and size are both given, and the leverage ties them; keep one")
    given = {name: value for name, value in (("positions", positions), ("seed", seed)) if value is not None}
    try:
        return build(raw | given, FlowConfig, where)
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at `$.")
        raise UsageError(f"{where}: {place.rstrip('`')}{': ' if place else ''}{problem}") from None


def utc_us(text: str) -> int:
    """An ISO date or time, UTC unless it says otherwise, as microseconds since 1970; else `UsageError`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date; write 2025-01-31 or 2025-01-31T12:00:00 (UTC)") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
