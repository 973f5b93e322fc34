"""The sections of a flow file: how arrivals, sides, amounts, holding times, triggers, changes and LPs are drawn.

The defaults are those of `configs/flows/uniform.toml`, which explains every key; what is not neutral there is off here.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

_POSITIVE = 1e-9
_DOLLARS = (0.01, 1e9)
_WEIGHT = (0.0, 1e9)
_SPREAD = (0.0, 10.0)
_SHARE = (0.0, 1.0)
_DAYS = (_POSITIVE, 1e5)
_HOURS = (_POSITIVE, 1e6)
_CAP = (1.0, 100.0)

# What a key may be, by section; a tuple of numbers is checked number by number.
_RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "MarketShare": {"weight": _WEIGHT},
    "Arrival": {
        "hours": _WEIGHT,
        "days": _WEIGHT,
        "week": _WEIGHT,
        "volatility_sensitivity": (0.0, 5.0),
        "volatility_window": _HOURS,
        "volatility_average": _DAYS,
        "cap": _CAP,
    },
    "Side": {"strength": (0.0, 100.0), "look_back": _HOURS, "volatility_average": _DAYS, "clip": (_POSITIVE, 100.0)},
    "Leverage": {
        "min": (0.01, 10_000.0),
        "max": (0.01, 10_000.0),
        "median": (0.01, 10_000.0),
        "sigma": _SPREAD,
        "tail": (0.1, 100.0),
        "values": (0.01, 10_000.0),
        "weights": _WEIGHT,
    },
    "Dollars": {
        "min": _DOLLARS,
        "max": _DOLLARS,
        "median": _DOLLARS,
        "sigma": _SPREAD,
        "tail": (0.1, 100.0),
        "values": _DOLLARS,
        "weights": _WEIGHT,
        "round_share": _SHARE,
    },
    "Holding": {"hours": _HOURS, "sigma": _SPREAD, "tail": (0.1, 100.0), "min_minutes": (0.0, 1e7)},
    "StopLoss": {
        "share": _SHARE,
        "min": (0.0, 1.0),
        "max": (_POSITIVE, 1.0),
        "liquidation_leverage": (1.0, 1e6),
        "cost": (0.0, 1.0),
    },
    "TakeProfit": {"share": _SHARE, "min": (_POSITIVE, 1e4), "max": (_POSITIVE, 1e4)},
    "PartialClose": {"share": _SHARE, "min": (1e-4, 1.0), "max": (1e-4, 1.0), "at_gain": (0.0, 1e4)},
    "AddedCollateral": {
        "share": _SHARE,
        "min": (1e-4, 1.0),
        "max": (1e-4, 1.0),
        "near_liquidation": _SHARE,
        "at": (0.01, 1.0),
        "times": (1, 3),
    },
    "Liquidity": {
        "deposits": (0, 1e8),
        "median": _DOLLARS,
        "sigma": _SPREAD,
        "min": _DOLLARS,
        "max": _DOLLARS,
        "withdrawn_share": _SHARE,
        "hold_days": _DAYS,
        "window": _DAYS,
        "fee_bps": (_POSITIVE, 1e4),
        "pool_usd": (1.0, 1e12),
        "target_yield": (1e-6, 1e3),
        "cap": _CAP,
        "leave_below": (0.0, 1.0),
        "drawdown": (1e-4, 1.0),
        "delay_hours": (0.0, 1e5),
    },
    "Foresight": {
        "seconds": (1.0, 1e7),
        "threshold_bps": (0.0, 1e4),
        "hold_seconds": (1.0, 1e9),
        "share": _SHARE,
    },
    "FlowConfig": {
        "seed": (0, 2**63 - 1),
        "positions": (0, 2**31),
        "long_share": _SHARE,
        "referred_share": _SHARE,
    },
}


class Section(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A table of a flow file: every number in its range, `min` not above `max`."""

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.get(type(self).__name__, {}).items():
            given = getattr(self, name)
            for value in given if isinstance(given, tuple) else (given,):
                if not low <= value <= high:  # NaN fails too
                    raise ValueError(f"{name} = {value} is not possible; give {_shown(low)} to {_shown(high)}")
        low, high = getattr(self, "min", 0.0), getattr(self, "max", 0.0)
        if low > high:
            raise ValueError(f"min = {low} is more than max = {high}; swap them")


def _shown(bound: float) -> str:
    return f"{bound:,.0f}" if bound >= 1_000 else f"{bound:g}"


def _check_weights(name: str, weights: Sequence[float], count: int) -> None:
    if weights and len(weights) != count:
        raise ValueError(f"{name} has {len(weights)} numbers; give {count}")
    if weights and sum(weights) <= 0.0:
        raise ValueError(f"the weights of {name} sum to 0; give one of them weight")


class MarketShare(Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A traded market, its symbol in the price files (`source`, default the market itself), its share of arrivals."""

    market: str
    source: str = ""
    weight: float = 1.0

    @property
    def symbol(self) -> str:
        return self.source or self.market


class Arrival(Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """When positions are opened: evenly or by the hours of the week (UTC), more of them in volatile times."""

    pattern: Literal["constant", "hour_of_week"] = "constant"
    hours: tuple[float, ...] = ()
    days: tuple[float, ...] = ()
    week: tuple[float, ...] = ()
    volatility_sensitivity: float = 0.0
    volatility_window: float = 6.0
    volatility_average: float = 30.0
    cap: float = 4.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, count in (("hours", 24), ("days", 7), ("week", 168)):
            _check_weights(name, getattr(self, name), count)
        given = bool(self.hours or self.days)
        if self.week and given:
            raise ValueError("week is given beside hours or days; keep the 168 weights or the 24 and 7")
        if self.pattern == "hour_of_week" and not (self.week or given):
            raise ValueError('pattern = "hour_of_week" has no weights; give hours (24), days (7) or week (168)')
        if self.pattern == "constant" and (self.week or given):
            raise ValueError('weights are given, but the pattern is "constant"; write pattern = "hour_of_week"')


class Side(Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """How the probability of a long follows the past return: P = logistic(logit(long_share) +- strength * z)."""

    bias: Literal["none", "momentum", "contrarian"] = "none"
    strength: float = 0.5
    look_back: float = 24.0
    volatility_average: float = 30.0
    clip: float = 3.0


class Leverage(Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """In x, to the hundredth: drawn from one of four distributions, clipped to [min, max]."""

    distribution: Literal["log_uniform", "log_normal", "pareto", "discrete"] = "log_uniform"
    min: float = 1.5
    max: float = 25.0
    median: float = 5.0
    sigma: float = 0.7
    tail: float = 1.5
    values: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_amount(self)


class Dollars(Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """In dollars, to the cent, drawn likewise; `round_share` of them at the nearest 1, 2 or 5 times a power of ten."""

    distribution: Literal["log_normal", "log_uniform", "pareto", "discrete"] = "log_normal"
    median: float = 400.0
    sigma: float = 1.3
    min: float = 20.0
    max: float = 50_000.0
    tail: float = 1.5
    values: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()
    round_share: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_amount(self)


Amount = Leverage | Dollars


def _check_amount(given: Amount) -> None:
    if given.distribution == "discrete" and not given.values:
        raise ValueError('distribution = "discrete" has no values; list them, such as values = [5, 10, 25]')
    if given.distribution != "discrete" and (given.values or given.weights):
        raise ValueError(f'values are given beside distribution = "{given.distribution}"; write "discrete"')
    _check_weights("weights", given.weights, len(given.values))
    for value in given.values:
        if not given.min <= value <= given.max:
            raise ValueError(f"values holds {value:g}, which is not within min {given.min:g} and max {given.max:g}")


class Holding(Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Hours from open to close: the median of a log-normal or of a Pareto (Lomax), or the mean of an exponential."""

    distribution: Literal["log_normal", "exponential", "pareto"] = "log_normal"
    hours: float = 6.0
    sigma: float = 1.5
    tail: float = 1.2
    min_minutes: float = 10.0


class StopLoss(Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`share` of positions; the stop lies uniformly in [min, max] of the way from the price to liquidation.

    The way is 1/leverage - 1/liquidation_leverage - cost, as a fraction of the price.
    """

    share: float = 0.3
    min: float = 0.1
    max: float = 0.8
    liquidation_leverage: float = 100.0
    cost: float = 0.003


class TakeProfit(Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`share` of positions; the gain at the trigger is log-uniform in [min, max] multiples of the collateral."""

    share: float = 0.25
    min: float = 0.2
    max: float = 3.0


class PartialClose(Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`share` of positions close a fraction in [min, max] once: at a random time, or after a gain of `at_gain`."""

    share: float = 0.1
    min: float = 0.1
    max: float = 0.9
    at_gain: float = 0.0


class AddedCollateral(Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Deposits of [min, max] times the collateral: by `share` of positions once, at a random time, and by
    `near_liquidation` of them, up to `times`, whenever the price has gone `at` of the way to liquidation."""

    share: float = 0.05
    min: float = 0.1
    max: float = 1.0
    near_liquidation: float = 0.0
    at: float = 0.7
    times: int = 1


class Liquidity(Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """LP deposits of one custody, log-normal in tokens, and when they are taken out again (`style`)."""

    custody: str = "USDC"
    deposits: int = 0
    median: float = 5_000.0
    sigma: float = 1.0
    min: float = 100.0
    max: float = 100_000.0
    withdrawn_share: float = 0.5
    style: Literal["steady", "yield", "panic"] = "steady"
    hold_days: float = 30.0
    window: float = 7.0
    fee_bps: float = 10.0
    pool_usd: float = 10_000_000.0
    target_yield: float = 0.2
    cap: float = 4.0
    leave_below: float = 0.5
    drawdown: float = 0.1
    watch: str = ""
    delay_hours: float = 12.0


class Foresight(Section, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Who knows the price `seconds` ahead, and trades on `share` of the moves of more than `threshold_bps`."""

    seconds: float
    threshold_bps: float = 30.0
    hold_seconds: float = 300.0
    share: float = 1.0
