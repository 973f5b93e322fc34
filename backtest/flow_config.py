"""What a synthetic order flow looks like: a frozen, typed description read from TOML, unknown keys refused.

The defaults here and in `configs/flows/uniform.toml` are the same numbers; the file explains them.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from backtest.errors import UsageError
from backtest.toml_files import build, read_toml

_POSITIVE = 1e-9
_RANGES: dict[str, tuple[tuple[str, float, float], ...]] = {
    "MarketShare": (("weight", 0.0, 1e9),),
    "Leverage": (("min", 0.01, 10_000.0), ("max", 0.01, 10_000.0)),
    "Collateral": (("median", 0.01, 1e9), ("sigma", 0.0, 10.0), ("min", 0.01, 1e9), ("max", 0.01, 1e9)),
    "Holding": (("hours", _POSITIVE, 1e6), ("sigma", 0.0, 10.0), ("min_minutes", 0.0, 1e7)),
    "StopLoss": (
        ("share", 0.0, 1.0),
        ("min", 0.0, 1.0),
        ("max", _POSITIVE, 1.0),
        ("liquidation_leverage", 1.0, 1e6),
        ("cost", 0.0, 1.0),
    ),
    "TakeProfit": (("share", 0.0, 1.0), ("min", _POSITIVE, 1e4), ("max", _POSITIVE, 1e4)),
    "Change": (("share", 0.0, 1.0), ("min", 1e-4, 1.0), ("max", 1e-4, 1.0)),
    "Liquidity": (
        ("deposits", 0, 1e8),
        ("median", 0.01, 1e9),
        ("sigma", 0.0, 10.0),
        ("min", 0.01, 1e9),
        ("max", 0.01, 1e9),
        ("withdrawn_share", 0.0, 1.0),
        ("hold_days", _POSITIVE, 1e5),
    ),
    "FlowConfig": (
        ("seed", 0, 2**63 - 1),
        ("positions", 0, 2**31),
        ("long_share", 0.0, 1.0),
        ("referred_share", 0.0, 1.0),
    ),
}


class _Section(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    def __post_init__(self) -> None:
        for name, low, high in _RANGES.get(type(self).__name__, ()):
            value = getattr(self, name)
            if not low <= value <= high:  # NaN fails too
                raise ValueError(f"{name} = {value} is not possible; give {_shown(low)} to {_shown(high)}")
        low, high = getattr(self, "min", 0.0), getattr(self, "max", 0.0)
        if low > high:
            raise ValueError(f"min = {low} is more than max = {high}; swap them")


def _shown(bound: float) -> str:
    return f"{bound:,.0f}" if bound >= 1_000 else f"{bound:g}"


class MarketShare(_Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A traded market, its symbol in the price files (`source`, default the market itself), its share of arrivals."""

    market: str
    source: str = ""
    weight: float = 1.0

    @property
    def symbol(self) -> str:
        return self.source or self.market


class Leverage(_Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Log-uniform between `min` and `max`, in x, to the hundredth."""

    min: float = 1.5
    max: float = 25.0


class Collateral(_Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Log-normal in dollars: `median`, `sigma` of the logarithm, clipped to [min, max], to the cent."""

    median: float = 400.0
    sigma: float = 1.3
    min: float = 20.0
    max: float = 50_000.0


class Holding(_Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Hours from open to close: the median of a log-normal with `sigma`, or the mean of an exponential."""

    distribution: Literal["log_normal", "exponential"] = "log_normal"
    hours: float = 6.0
    sigma: float = 1.5
    min_minutes: float = 10.0


class StopLoss(_Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`share` of positions; the stop lies uniformly in [min, max] of the way from the price to liquidation.

    The way is 1/leverage - 1/liquidation_leverage - cost, as a fraction of the price.
    """

    share: float = 0.3
    min: float = 0.1
    max: float = 0.8
    liquidation_leverage: float = 100.0
    cost: float = 0.003


class TakeProfit(_Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`share` of positions; the gain at the trigger is log-uniform in [min, max] multiples of the collateral."""

    share: float = 0.25
    min: float = 0.2
    max: float = 3.0


class Change(_Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`share` of positions that are changed once before the close, by a fraction uniform in [min, max]."""

    share: float = 0.1
    min: float = 0.1
    max: float = 0.9


class Liquidity(_Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """LP deposits of one custody: log-normal in tokens, and the share of them that is taken out again."""

    custody: str = "USDC"
    deposits: int = 0
    median: float = 5_000.0
    sigma: float = 1.0
    min: float = 100.0
    max: float = 100_000.0
    withdrawn_share: float = 0.5
    hold_days: float = 30.0


class FlowConfig(_Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A whole flow. Each quantity is drawn from its own random stream of `seed`, so changing one moves no other."""

    seed: int = 1
    positions: int = 10_000
    long_share: float = 0.6
    referred_share: float = 0.2
    markets: tuple[MarketShare, ...] = (
        MarketShare(market="SOL", weight=5.0),
        MarketShare(market="BTC", weight=4.0),
        MarketShare(market="BONK", weight=1.0),
    )
    leverage: Leverage = Leverage()
    collateral: Collateral = Collateral()
    holding: Holding = Holding()
    stop_loss: StopLoss = StopLoss()
    take_profit: TakeProfit = TakeProfit()
    partial_close: Change = Change()
    added_collateral: Change = Change(share=0.05, min=0.1, max=1.0)
    liquidity: Liquidity = Liquidity()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.markets:
            raise ValueError("markets is empty; name at least one")
        names = [item.market for item in self.markets]
        if len(set(names)) < len(names):
            raise ValueError(f"markets names one twice: {', '.join(names)}; keep one")
        if sum(item.weight for item in self.markets) <= 0.0:
            raise ValueError("the weights of markets sum to 0; give one of them weight")
        stop = self.stop_loss
        if stop.share and 1.0 / self.leverage.max <= 1.0 / stop.liquidation_leverage + stop.cost:
            raise ValueError(
                f"leverage.max {self.leverage.max:g} leaves no room for a stop before liquidation at "
                f"{stop.liquidation_leverage:g}x and a cost of {stop.cost:g}; lower it, or stop_loss.share to 0"
            )


def load_flow(path: str | Path | None = None, *, positions: int | None = None, seed: int | None = None) -> FlowConfig:
    """Read a flow TOML (None: the defaults), with `positions` and `seed` replaced where given; else `UsageError`."""
    where = "flow" if path is None else str(path)
    raw = {} if path is None else read_toml(Path(path))
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
