"""The stationary bootstrap: which rows it draws, and what of a history the new one keeps."""

import numpy as np
import pytest

from backtest.synthetic import bootstrap
from backtest.synthetic.tracks import returns_of
from tests.synthetic.histories import clustered, prices, random_candles, z_score

SEEDS = 200


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("mean_block", [1.0, 2.5, 20.0, 300.0])
def test_blocks_are_geometric_with_the_mean_that_was_asked_for(mean_block: float) -> None:
    """A step follows its predecessor unless a block begins, which it does with chance 1 / mean."""
    rows, steps = 400_000, 1_000_003
    drawn = bootstrap.draw(rng(3), rows, steps, mean_block)
    broken = drawn[1:] != (drawn[:-1] + 1) % steps
    chance = 1 / mean_block
    expected = (rows - 1) * chance
    assert abs(broken.sum() - expected) <= 4 * np.sqrt(expected * (1 - chance)) + 4 * expected / steps + 2
    if mean_block > 1:
        lengths = np.diff(np.flatnonzero(broken))
        variance = (1 - chance) / chance**2
        # variance of a sample variance: kurtosis of a geometric distribution is 9 + p^2 / (1 - p)
        error = variance * np.sqrt((8 + chance**2 / (1 - chance)) / len(lengths))
        assert abs(lengths.var() - variance) < 4 * error


def test_blocks_go_on_at_the_beginning_of_the_history() -> None:
    """Circular: with blocks far longer than the history every step follows the one before, the first the last."""
    drawn = bootstrap.draw(rng(1), 50, 7, 1e9)
    assert np.array_equal(drawn, (drawn[0] + np.arange(50)) % 7)


def test_every_step_is_drawn_alike_wherever_it_lies() -> None:
    """Without the circle the ends of a history come too seldom or too often."""
    steps, draws = 8, 4_000
    lasts = [int(bootstrap.draw(rng(seed), 12, steps, 4.0)[-1]) for seed in range(draws)]
    counts = np.bincount(lasts, minlength=steps)
    chi_square = float(((counts - draws / steps) ** 2 / (draws / steps)).sum())
    assert chi_square < 29.9  # 99.99 % of a chi-square with 7 degrees of freedom


def test_the_new_path_by_hand() -> None:
    """Steps of +10 %, -50 %, +20 %, taken as third, first, first."""
    history = {"SOL": prices([100.0, 110.0, 55.0, 66.0])}
    found = bootstrap.follow(history, np.arange(4), np.array([2, 0, 0]))["SOL"]
    assert found.columns["price"] == pytest.approx([100.0, 120.0, 132.0, 145.2], rel=1e-14)


def test_each_new_candle_is_an_old_one_scaled_the_same_for_all_symbols() -> None:
    history = random_candles(300, seed=5)
    drawn = bootstrap.draw(rng(2), 999, 299, 10.0)
    new = bootstrap.follow(history, np.arange(1_000), drawn)
    sources = {symbol: track.columns["volume"].astype(int) for symbol, track in new.items()}  # the volume names the row
    assert np.array_equal(sources["SOL"], sources["BTC"] - 1_000_000)
    for symbol, track in new.items():
        old, row = history[symbol].columns, sources["SOL"]
        for name in ("open", "high", "low"):
            assert track.columns[name] / track.close == pytest.approx((old[name] / old["close"])[row], rel=1e-13)
        from_close = (old["open"][1:] / old["close"][:-1])[row[1:] - 1]
        assert track.columns["open"][1:] / track.close[:-1] == pytest.approx(from_close, rel=1e-12)
        assert [track.columns[name][0] for name in old] == [values[0] for values in old.values()]
        bodies = [track.columns[name] for name in ("open", "close")]
        assert (track.columns["high"] >= np.maximum(*bodies)).all()
        assert (track.columns["low"] <= np.minimum(*bodies)).all()


def resampled_returns(history: dict, block: float, seed: int) -> np.ndarray:
    rows = len(history["SOL"].times)
    drawn = bootstrap.draw(rng(seed), rows - 1, rows - 1, block)
    return returns_of(bootstrap.follow(history, np.arange(rows), drawn))


@pytest.mark.parametrize("block", [1.0, 25.0])
def test_moments_are_those_of_the_history(block: float) -> None:
    """Any single step of a stationary bootstrap is uniform over the history, so these hold exactly on average."""
    history = clustered(1_500, seed=9)
    old = returns_of(history)
    center = old.mean(axis=0)
    new = [resampled_returns(history, block, seed) for seed in range(SEEDS)]
    for at in range(2):
        assert abs(z_score([path[:, at].mean() for path in new], center[at])) < 4
        for power in (2, 4):  # variance; kurtosis is the fourth moment over its square
            moments = [((path[:, at] - center[at]) ** power).mean() for path in new]
            assert abs(z_score(moments, ((old[:, at] - center[at]) ** power).mean())) < 4
    together = [((path - center).prod(axis=1)).mean() for path in new]
    assert abs(z_score(together, ((old - center).prod(axis=1)).mean())) < 4
    correlations = [np.corrcoef(path, rowvar=False)[0, 1] for path in new]
    assert abs(np.mean(correlations) - np.corrcoef(old, rowvar=False)[0, 1]) < 0.02


@pytest.mark.parametrize("block", [1.0, 5.0, 25.0])
def test_calm_and_wild_hours_last_as_long_as_blocks_let_them(block: float) -> None:
    """Lag-1 autocovariance of |r|: that of the circular history times the chance that no block begins."""
    history = clustered(1_500, seed=9)
    size = np.abs(returns_of(history))
    size -= size.mean(axis=0)
    circular = (size * np.roll(size, -1, axis=0)).mean(axis=0)
    center = np.abs(returns_of(history)).mean(axis=0)
    new = [np.abs(resampled_returns(history, block, seed)) - center for seed in range(SEEDS)]
    for at in range(2):
        found = [(path[1:, at] * path[:-1, at]).mean() for path in new]
        expected = (1 - 1 / block) * circular[at]
        assert abs(z_score(found, expected)) < 4
        if block > 1:
            assert abs(z_score(found, 0.0)) > 6  # enough to tell it from a bootstrap without blocks
