"""What the LPs are exposed to, asset by asset, and what is left of the return when that is hedged away."""

from backtest.report import colours, table
from backtest.report.lines import Style, lines, plain
from backtest.report.page import Figure, Section
from backtest.report.subject import Subject
from backtest.report.table import Column

_EXPOSURES = (
    Column("asset", "Asset"),
    Column("delta_tokens", "Tokens at the end", "tokens"),
    Column("delta_usd", "In dollars", "usd"),
    Column("gain_per_percent_usd", "Gain per +1 %", "gain_usd"),
    Column("last_share", "Of AUM, last", "share"),
    Column("mean_share", "Mean", "share"),
    Column("lowest_share", "Lowest", "share"),
    Column("highest_share", "Highest", "share"),
)
_HEDGED = {"Hedged": Style(colours.GAIN, 2.4), "Unhedged, with rewards": Style(colours.INK, 1.4)}


def exposure(subject: Subject) -> Section:
    """Delta per asset, and the hedged return."""
    return Section("exposure", "What LPs are exposed to", [_delta(subject), _hedged(subject)])


def _delta(subject: Subject) -> Figure:
    answers = subject.answers
    rows = answers.rows("exposures")
    if not rows:
        return Figure("delta", "Delta per asset", "The pool holds and trades nothing but dollars: no asset moves it.")
    spec, note = lines(answers.frame("deltas"), "percent", plain([row["asset"] for row in rows], subject.palette))
    first = rows[0]
    reading = (
        f"The largest exposure at the end is {first.show('asset', 'text')}: the LPs hold the equivalent of "
        f"{first.show('delta_tokens', 'tokens')} tokens, {first.show('last_share', 'share')} of AUM, so a rise of 1 % "
        f"is worth {first.show('gain_per_percent_usd', 'gain_usd')} to them."
    )
    numbers = table.table(rows, _EXPOSURES, "Exposure per asset")
    extra = (
        "Tokens owned and held as margin, less what open longs are owed, plus what open shorts owe; as shares of AUM."
    )
    return Figure("delta", "Delta per asset", reading, spec, numbers, ("exposures", "deltas"), (extra, note))


def _hedged(subject: Subject) -> Figure:
    answers, hedge = subject.answers, subject.hedge
    title = "The return left after hedging"
    found = answers.rows("hedge")
    if not found or found[0]["rebalancings"] < 2 or found[0]["hedged_return"] is None:
        return Figure("hedged", title, f"The run is too short for a hedge that is renewed every {hedge.every}.")
    row = found[0]
    spec, note = lines(answers.frame("hedged_lines"), "dollar", _HEDGED)
    reading = (
        f"With every asset's delta sold short, an LP would have made {row.show('hedged_return', 'gain_percent')} "
        f"instead of {row.show('unhedged_return', 'gain_percent')}: the hedge itself made "
        f"{row.show('gain_usd', 'gain_usd')} and trading {row.show('turnover_usd', 'usd')} for it cost "
        f"{row.show('cost_usd', 'usd')}."
    )
    rule = (
        f"Rule: at the end of every period of {hedge.every} the LPs' delta of each asset that is no dollar is sold "
        f"short at the price of then and held for one period; every dollar traded costs {hedge.cost_bps:g} bps, "
        "closing the hedge at the end too; returns compound, rewards included. Both lines begin at the first "
        "rebalancing. "
        "Funding and margin of the hedge are left out. Other terms: --hedge-cost, --hedge-every."
    )
    numbers = subject.numbers("hedged_lines", list(_HEDGED), "dollar", "Value of one dollar")
    queries = ("hedge", "hedged_lines", "hedged_lines.levels")
    return Figure("hedged", title, reading, spec, numbers, queries, (rule, note))
