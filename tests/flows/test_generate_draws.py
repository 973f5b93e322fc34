"""What is drawn is spread as described: amounts, times, sides, and how prices of before bend them."""

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

from backtest.flows import streams
from backtest.flows.config import FlowConfig
from backtest.flows.prices_seen import Seen, activity, last_tick, past_moves
from backtest.flows.sections import (
    AddedCollateral,
    Arrival,
    Dollars,
    Holding,
    Leverage,
    MarketShare,
    PartialClose,
    Side,
    StopLoss,
)
from tests.flows.fake_prices import (
    DAY,
    HOUR,
    MINUTE,
    T0,
    FakePrices,
    hours_held,
    opens_of,
    orders_of,
    seen,
    us,
    walk,
)

TWO = (MarketShare(market="SOL", weight=3.0), MarketShare(market="BTC", weight=1.0))
ONE = (MarketShare(market="SOL"),)


def test_distributions_of_the_defaults() -> None:
    config = FlowConfig(positions=40_000, markets=TWO, long_share=0.7)
    orders = orders_of(walk(1, 60_000, 2), config)
    opens = orders.filter(pl.col("action") == "open")
    assert opens.height == 40_000
    assert opens["side"].eq("long").mean() == pytest.approx(0.7, abs=0.01)
    assert opens["market"].eq("SOL").mean() == pytest.approx(0.75, abs=0.01)
    assert opens["referred"].mean() == pytest.approx(0.2, abs=0.01)
    assert opens["stop_loss"].is_not_null().mean() == pytest.approx(0.3, abs=0.01)
    assert opens["take_profit"].is_not_null().mean() == pytest.approx(0.25, abs=0.01)

    leverage = opens["leverage"].to_numpy()
    low, high = np.log(1.5), np.log(25.0)
    assert leverage.min() >= 1.5
    assert leverage.max() <= 25.0
    quartiles = np.quantile(np.log(leverage), [0.25, 0.5, 0.75])
    assert quartiles == pytest.approx(low + (high - low) * np.array([0.25, 0.5, 0.75]), abs=0.03)

    margin = np.log(opens["collateral_usd"].to_numpy())
    assert np.exp(np.median(margin)) == pytest.approx(400.0, rel=0.03)
    within = np.quantile(margin, [0.1587, 0.8413])  # one sigma each way, untouched by the clipping
    assert (within[1] - within[0]) / 2 == pytest.approx(1.3, rel=0.02)
    assert margin.min() >= np.log(20.0)
    assert margin.max() <= np.log(50_000.0)

    arrival = us(opens["timestamp"]) / (60_000 * MINUTE)
    assert np.quantile(arrival, [0.1, 0.5, 0.9]) == pytest.approx([0.1, 0.5, 0.9], abs=0.01)
    gaps = np.diff(arrival)
    assert gaps.std() / gaps.mean() == pytest.approx(1.0, abs=0.05)  # exponential gaps: a Poisson process

    held = hours_held(orders)
    assert np.median(held) == pytest.approx(6.0, rel=0.05)
    assert held.min() >= 1 / 6
    assert orders["action"].eq("decrease").sum() == pytest.approx(4_000, rel=0.06)
    assert orders["action"].eq("deposit_collateral").sum() == pytest.approx(2_000, rel=0.08)


@pytest.mark.parametrize(
    ("section", "quantiles"),
    [
        # P(X > x) = (min / x)^tail: the median is min * 2^(1/tail), the highest per cent begins at min * 100^(1/tail)
        (
            {"distribution": "pareto", "min": 100.0, "max": 1e6, "tail": 1.5},
            {0.5: 100 * 2 ** (2 / 3), 0.99: 100 * 100 ** (2 / 3)},
        ),
        ({"distribution": "log_uniform", "min": 100.0, "max": 1e4}, {0.25: 100 * 10**0.5, 0.5: 1e3}),
        ({"distribution": "log_normal", "median": 500.0, "sigma": 0.5}, {0.5: 500.0, 0.8413447: 500.0 * math.e**0.5}),
    ],
)
def test_amounts(section: dict[str, Any], quantiles: dict[float, float]) -> None:
    config = FlowConfig(positions=100_000)
    drawn = streams.amount(config, "collateral", Dollars(**section), 100_000)
    for share, value in quantiles.items():
        assert np.quantile(drawn, share) == pytest.approx(value, rel=0.03)
    assert drawn.min() >= section.get("min", 20.0)
    assert drawn.max() <= section.get("max", 50_000.0)


def test_the_tail_of_a_pareto_has_its_index() -> None:
    drawn = streams.amount(FlowConfig(), "size", Dollars(distribution="pareto", min=1.0, max=1e9, tail=1.5), 200_000)
    hill = 1.0 / np.mean(np.log(drawn / drawn.min()))  # the estimator of Hill
    assert hill == pytest.approx(1.5, rel=0.01)


def test_discrete_leverage_and_its_weights() -> None:
    leverage = Leverage(distribution="discrete", values=(5, 10, 50), weights=(1, 2, 7), max=50.0)
    opens = opens_of(FlowConfig(positions=20_000, leverage=leverage, stop_loss=StopLoss(liquidation_leverage=300.0)))
    shares = dict(opens["leverage"].value_counts(normalize=True).iter_rows())
    assert shares == {
        5.0: pytest.approx(0.1, abs=0.01),
        10.0: pytest.approx(0.2, abs=0.01),
        50.0: pytest.approx(0.7, abs=0.01),
    }


def test_a_size_is_collateral_times_leverage() -> None:
    opens = opens_of(FlowConfig(positions=2_000, size=Dollars(distribution="discrete", values=(1_000,))))
    size = (opens["leverage"] * opens["collateral_usd"]).to_numpy()
    assert size == pytest.approx(np.full(2_000, 1_000.0), abs=25 * 0.005)  # cents of collateral times leverage


@pytest.mark.parametrize(
    ("dollars", "rounded"),
    [(1.0, 1.0), (1.41, 1.0), (1.42, 2.0), (3.16, 2.0), (3.17, 5.0), (7.07, 5.0), (7.08, 10.0), (137.0, 100.0)],
)
def test_round_numbers(dollars: float, rounded: float) -> None:
    assert streams.round_dollars(np.array([dollars])).tolist() == [rounded]


def test_the_habit_of_round_numbers() -> None:
    opens = opens_of(FlowConfig(positions=20_000, collateral=Dollars(round_share=0.4)))
    digits = opens["collateral_usd"].to_numpy()
    first = digits / 10.0 ** np.floor(np.log10(digits) + 1e-9)
    round_ones = np.isclose(first, 1.0) | np.isclose(first, 2.0) | np.isclose(first, 5.0)
    assert round_ones.mean() == pytest.approx(0.4, abs=0.015)


@pytest.mark.parametrize(
    ("holding", "quantiles"),
    [
        (Holding(distribution="exponential", hours=2.0), {0.5: 2 * math.log(2), 0.9: 2 * math.log(10)}),
        (Holding(distribution="log_normal", hours=2.0, sigma=1.0), {0.5: 2.0, 0.8413447: 2 * math.e}),
        # Lomax: the survival is (1 + x / scale)^-tail; with tail 2 and median 2 the scale is 2 / (sqrt(2) - 1)
        (
            Holding(distribution="pareto", hours=2.0, tail=2.0),
            {0.5: 2.0, 0.9: 2 / (2**0.5 - 1) * (10**0.5 - 1), 0.95: 2 / (2**0.5 - 1) * (20**0.5 - 1)},
        ),
    ],
)
def test_holding_times(holding: Holding, quantiles: dict[float, float]) -> None:
    hours = streams.holding_us(FlowConfig(), holding, 100_000) / HOUR
    for share, value in quantiles.items():
        assert np.quantile(hours, share) == pytest.approx(max(value, 1 / 6), rel=0.03)
    assert hours.min() == pytest.approx(1 / 6)


def test_triggers_lie_on_their_side_and_a_stop_before_liquidation() -> None:
    price = np.full((3_000, 3), 100 * 10**10, np.int64)
    opens = opens_of(FlowConfig(positions=5_000, stop_loss=StopLoss(share=1.0)), price)
    sign = np.where(opens["side"] == "long", 1.0, -1.0)
    leverage = opens["leverage"].to_numpy()
    distance = sign * (100.0 - opens["stop_loss"].to_numpy()) / 100.0
    way = 1.0 / leverage - 0.01 - 0.003
    assert np.quantile(distance / way, [0.0, 0.5, 1.0]) == pytest.approx([0.1, 0.45, 0.8], abs=0.02)
    profit = opens.filter(pl.col("take_profit").is_not_null())
    sign, target = np.where(profit["side"] == "long", 1.0, -1.0), profit["take_profit"].to_numpy()
    gain = ((target / 100.0) ** sign - 1.0) * profit["leverage"].to_numpy()
    assert np.quantile(np.log(gain), [0.0, 0.5, 1.0]) == pytest.approx(np.log([0.2, np.sqrt(0.6), 3.0]), abs=0.1)


def test_changes_at_a_random_time_lie_between_open_and_close() -> None:
    part = PartialClose(share=1.0, min=0.25, max=0.5)
    orders = orders_of(
        walk(1, 30_000), FlowConfig(positions=1_000, partial_close=part, added_collateral=AddedCollateral(share=1.0))
    )
    whole = orders.pivot("action", index="position_id", values="timestamp").drop_nulls()
    assert whole.height > 900
    for action in ("decrease", "deposit_collateral"):
        share = (whole[action] - whole["open"]).dt.total_microseconds() / (
            whole["close"] - whole["open"]
        ).dt.total_microseconds()
        assert share.min() >= 0.0999
        assert share.max() <= 0.9001
        assert share.mean() == pytest.approx(0.5, abs=0.03)
    fraction = orders["fraction"].drop_nulls()
    assert fraction.min() >= 0.25
    assert fraction.max() <= 0.5


# --- when ---------------------------------------------------------------------------------------------------------


def test_arrivals_follow_the_hours_of_the_week() -> None:
    hours = tuple(float(1 + number % 5) for number in range(24))
    days = (3.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.0)  # from Monday
    prices = FakePrices(np.full((4 * 168 + 1, 1), 10**12, np.int64), HOUR, ("SOL",))  # four weeks from a Wednesday
    arrival = Arrival(pattern="hour_of_week", hours=hours, days=days)
    opens = opens_of(FlowConfig(positions=50_000, markets=ONE, arrival=arrival), prices)
    stamps = opens["timestamp"]
    assert opens.height == 50_000
    assert stamps.is_sorted()
    counts = np.zeros((7, 24))
    np.add.at(counts, (stamps.dt.weekday().to_numpy() - 1, stamps.dt.hour().to_numpy()), 1)
    expected = np.outer(days, hours)
    expected *= 50_000 / expected.sum()
    assert counts[6].sum() == 0  # nothing on Sundays
    some = expected > 0
    chi_square = ((counts - expected)[some] ** 2 / expected[some]).sum()
    assert 80 < chi_square < 215  # 143 degrees of freedom: mean 143, deviation 17
    week = tuple(float(weight) for weight in np.outer(days, hours).ravel())
    same = opens_of(
        FlowConfig(positions=50_000, markets=ONE, arrival=Arrival(pattern="hour_of_week", week=week)), prices
    )
    assert same["timestamp"].equals(stamps)


def test_hours_without_weight_are_a_fault_of_the_span() -> None:
    days = (0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0)  # Saturdays, but the prices are of a Wednesday
    config = FlowConfig(name="late", arrival=Arrival(pattern="hour_of_week", days=days))
    with pytest.raises(Exception, match="late: arrival gives no weight to any hour of the prices"):
        opens_of(config, walk(1, 600))


def regimes(days: int, factor: float, seed: int = 3) -> FakePrices:
    """Two markets of one day calm and one day `factor` times as volatile, in turn; the second market turned round."""
    ticks = days * 288
    sigma = np.where(np.arange(ticks) // 288 % 2, factor, 1.0) * 0.001
    steps = np.random.default_rng(seed).normal(0.0, 1.0, (ticks, 2)) * np.stack(
        [sigma, 0.001 * factor * 0.001 / sigma], 1
    )
    price = np.rint(100.0 * np.exp(np.cumsum(steps, axis=0)) * 1e10).astype(np.int64)
    return FakePrices(price, 5 * MINUTE, ("SOL", "BTC"))


@pytest.mark.parametrize(("sensitivity", "ratio"), [(0.0, 1.0), (1.0, 3.0), (1.5, 3.0**1.5)])
def test_arrivals_follow_the_volatility_of_their_market(sensitivity: float, ratio: float) -> None:
    arrival = Arrival(volatility_sensitivity=sensitivity, volatility_window=3.0, volatility_average=10.0, cap=20.0)
    opens = opens_of(FlowConfig(positions=40_000, markets=TWO, arrival=arrival), regimes(60, 3.0))
    at = us(opens["timestamp"])
    settled = (at % DAY > 4 * HOUR) & (at > 10 * DAY)  # when the window lies within one day, the average in the past
    wild = at // DAY % 2 == 1
    sol = (opens["market"] == "SOL").to_numpy()
    assert (settled & wild & sol).sum() / (settled & ~wild & sol).sum() == pytest.approx(ratio, rel=0.08)
    assert (settled & ~wild & ~sol).sum() / (settled & wild & ~sol).sum() == pytest.approx(ratio, rel=0.12)
    assert sol.mean() == pytest.approx(0.75, abs=0.01)
    if not sensitivity:
        assert opens.height == 40_000


def test_the_cap_binds_both_ways() -> None:
    prices = regimes(40, 10.0)
    given = Seen(prices.times, prices.price.T)
    multiple = activity(given, 3.0, 3.0, 10.0, 2.0)
    assert (multiple.min(), multiple.max()) == (0.5, 2.0)
    assert multiple[:, 0].tolist() == [1.0, 1.0]  # nothing is known yet


def test_activity_by_hand() -> None:
    # returns of 1 %, 1 %, 4 %, 4 % an hour; the window of 2 hours against an average of 4
    price = 100.0 * np.exp(np.cumsum([0.0, 0.01, -0.01, 0.04, -0.04]))
    multiple = activity(seen(price, HOUR), 1.0, 2.0, 4.0 / 24.0, 100.0)[0]
    recent, usual = (0.04**2 + 0.04**2) / 2, (2 * 0.01**2 + 2 * 0.04**2) / 4
    assert multiple[4] == pytest.approx(math.sqrt(recent / usual), rel=1e-6)
    assert multiple[2] == pytest.approx(1.0, rel=1e-6)


# --- which side ---------------------------------------------------------------------------------------------------


def test_past_moves_by_hand() -> None:
    price = 100.0 * np.exp(np.cumsum([0.0, 0.01, 0.01, -0.02]))
    moves = past_moves(seen(price, HOUR), 2.0, 1.0, 10.0)[0]
    assert moves[0] == 0.0
    deviation = math.sqrt(2 * 0.01**2)  # of two hours, from the two returns so far
    assert moves[2] == pytest.approx(0.02 / deviation, rel=1e-6)
    deviation = math.sqrt((2 * 0.01**2 + 0.02**2) / 3 * 2)
    assert moves[3] == pytest.approx(-0.01 / deviation, rel=1e-6)
    assert past_moves(seen(price, HOUR), 2.0, 1.0, 0.5)[0].max() == 0.5


@pytest.mark.parametrize(("bias", "sign"), [("momentum", 1.0), ("contrarian", -1.0)])
def test_sides_follow_the_past_return(bias: Any, sign: float) -> None:
    price = walk(5, 8_000, 1)
    side = Side(bias=bias, strength=1.0, look_back=2.0)
    config = FlowConfig(positions=60_000, markets=ONE, long_share=0.6, side=side)
    opens = opens_of(config, price)
    tick = us(opens["timestamp"]) // MINUTE
    times = T0 + np.arange(8_000, dtype=np.int64) * MINUTE
    z = past_moves(Seen(times, price.T), 2.0, 30.0, 3.0)[0][tick]
    is_long = (opens["side"] == "long").to_numpy()
    for low, high in ((-3.0, -1.0), (-0.2, 0.2), (1.0, 3.0)):
        group = (z >= low) & (z <= high)
        expected = 1.0 / (1.0 + np.exp(-(math.log(1.5) + sign * z[group])))
        assert is_long[group].mean() == pytest.approx(expected.mean(), abs=0.015)


def test_without_bias_prices_play_no_part_in_the_side() -> None:
    sides = [opens_of(FlowConfig(positions=500), walk(seed))["side"].to_list() for seed in (1, 2)]
    assert sides[0] == sides[1]


def test_shares_of_none_and_all_are_kept_under_a_bias() -> None:
    for share, expected in ((0.0, ["short"]), (1.0, ["long"])):
        config = FlowConfig(positions=50, long_share=share, side=Side(bias="momentum"))
        assert opens_of(config)["side"].unique().to_list() == expected


def test_triggers_are_placed_from_the_last_tick_at_or_before() -> None:
    prices = FakePrices(walk(1, 500))
    rng = np.random.default_rng(0)
    times = np.concatenate([rng.integers(T0, prices.span.end_us + 1, 400), prices.times[[0, 96, 97, 499]]])
    expected = [max(row for row, tick in enumerate(prices.times.tolist()) if tick <= time) for time in times.tolist()]
    assert last_tick(Seen(prices.times, prices.price.T), times).tolist() == expected
