"""What every metric means: its unit, its formula and how to read it; the one place where a figure is defined in words.

The numbers are rows of SQL (views `metrics`, `headlines`, `daily_returns`, `drawdowns`) and of backtest.markouts.
"""

from typing import NamedTuple


class Metric(NamedTuple):
    """A figure of a run. Units: days, share (0.1 is 10 %), share per year, ratio, bps."""

    unit: str
    formula: str
    meaning: str


CONVENTIONS = (
    "r: return of the LP token over a UTC day, from the last sample at or before one midnight to that of the next, "
    "with the rewards that a venue pays beside the pool added to the closing price (view daily_returns). A day without "
    "a sample returned 0, and its change is in the next.",
    "A year has 365 days. Interest on dollars is taken as 0.",
    "A loss is negative: in returns, in drawdowns, in value at risk.",
    'A figure that is not defined is shown as "-": one day has no volatility, a pool without a value no exposure.',
)
_VAR = "historical: with one chance in twenty, {} return less than this; -0.05 is a loss of 5 %"
_SHORTFALL = "historical: what {} return on average in the worst twentieth of the cases"
_MARKOUT = (
    "sum of size x side x (P(t + {0} min) / P(t) - 1) / sum of size x 10,000, over all notional opened or added at "
    "ticks t; side: +1 long, -1 short; P: the market's price in the run's ticks, at t + {0} min the first at or after "
    "it, which must come within another {0} min"
)
_TOXIC = "price move after the open in the traders' favour, per opened dollar; above their fees, their flow is toxic"

# In the order in which they are shown.
METRICS: dict[str, Metric] = {
    "days": Metric("days", "(last sample - first sample) / 24 hours", "length of the run"),
    "total_return": Metric(
        "share",
        "(last LP price + rewards per LP token) / first LP price - 1",
        "what an LP token gained; each reward is kept, not put back in (headlines.lp_return_with_rewards)",
    ),
    "annualised_return": Metric(
        "share per year",
        "(1 + total_return) ^ (365 / days) - 1",
        "the same compounded over a year, of runs of 7 days or more: a few days say nothing of a year",
    ),
    "volatility": Metric(
        "share per year", "sd(r) x sqrt(365), sd with n - 1", "how much the return of a year varies, if days are alike"
    ),
    "sharpe": Metric("ratio", "mean(r) / sd(r) x sqrt(365)", "return per unit of volatility"),
    "sortino": Metric(
        "ratio",
        "mean(r) / sqrt(mean(min(r, 0)^2)) x sqrt(365); the mean is over all days",
        "return per unit of downside volatility: days of gain do not count as risk",
    ),
    "calmar": Metric("ratio", "annualised_return / -max_drawdown", "return of a year per worst fall"),
    "max_drawdown": Metric(
        "share",
        "min over all samples of LP price / highest LP price so far - 1",
        "the deepest fall, rewards beside the pool apart (view drawdowns)",
    ),
    "max_drawdown_days": Metric(
        "days",
        "(recovery - peak) / 24 hours of the deepest fall; to the end of the run where it has not recovered",
        "how long the price of the peak was out of reach",
    ),
    "var_1d": Metric(
        "share", "5 % quantile of r, between observations linear; 20 days or more", _VAR.format("a day will")
    ),
    "var_7d": Metric(
        "share", "the same of all products of 7 successive 1 + r, less 1 (windows overlap)", _VAR.format("7 days will")
    ),
    "var_30d": Metric("share", "the same of 30 successive days", _VAR.format("30 days will")),
    "expected_shortfall_1d": Metric(
        "share", "mean of the floor((n - 1) / 20) + 1 lowest of the n values behind var_1d", _SHORTFALL.format("days")
    ),
    "expected_shortfall_7d": Metric("share", "the same of those behind var_7d", _SHORTFALL.format("7 days")),
    "expected_shortfall_30d": Metric("share", "the same of those behind var_30d", _SHORTFALL.format("30 days")),
    "fee_apr": Metric(
        "share per year",
        "(LPs' part of fees + funding + confiscated margin - liquidators' rewards) / time-weighted AUM x 365 / days",
        "what LPs earn from fees alone, simple; accrued and rewards included (headlines.fee_apr)",
    ),
    "delta_mean": Metric(
        "share",
        "mean over UTC day closes of sum of delta_usd over assets that are not stable / AUM (exposure('1 day'))",
        "1.0: the LP token moves with the market one to one; 0: it does not move",
    ),
    "delta_end": Metric("share", "the same at the last sample", "what the pool is exposed to now"),
    "utilisation_mean": Metric(
        "share", "mean over samples of locked / owned tokens, both in dollars", "how much of the pool works"
    ),
    "utilisation_max": Metric("share", "highest over samples of the same", "how near the pool came to its end"),
    "fees_per_volume_bps": Metric(
        "bps",
        "(open + close + liquidation + borrow fees) / notional opened and closed x 10,000",
        "what a dollar of trading pays (headlines.fees_per_volume_bps)",
    ),
    "win_rate": Metric(
        "share",
        "positions ended with PnL - fees - funding - confiscated + bad debt > 0 / positions ended",
        "how many traders take more out than they put in",
    ),
    "markout_1m_bps": Metric("bps", _MARKOUT.format(1), _TOXIC),
    "markout_5m_bps": Metric("bps", "the same with 5 minutes", "the move after 5 minutes"),
    "markout_10m_bps": Metric("bps", "the same with 10 minutes", "the move after 10 minutes"),
}
