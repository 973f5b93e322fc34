"""The other side: what traders won and paid, and who of them was liquidated, when, and at which leverage."""

from backtest.report import bars, colours, table
from backtest.report.lines import Style, lines
from backtest.report.page import Figure, Section
from backtest.report.subject import Subject
from backtest.report.table import Column

_TRADERS = {"Before fees": Style(colours.INK, 1.4), "After fees": Style(colours.GAIN, 2.2)}
_TRADING = (
    Column("market", "Market"),
    Column("side", "Side"),
    Column("positions", "Positions", "count"),
    Column("volume_usd", "Volume", "usd"),
    Column("pnl_usd", "PnL", "gain_usd"),
    Column("fees_usd", "Fees", "usd"),
    Column("funding_usd", "Funding", "gain_usd"),
    Column("net_pnl_usd", "Net PnL", "gain_usd"),
    Column("win_rate_gross", "Won", "share"),
    Column("win_rate_net", "Won, net", "share"),
    Column("fees_per_volume_bps", "Fees/volume", "bps"),
    Column("fees_per_margin", "Fees/margin", "percent"),
)
_LIQUIDATIONS = (
    Column("period_start", "From (UTC)", "moment"),
    Column("market", "Market"),
    Column("liquidations", "Liquidations", "count"),
    Column("size_usd", "Notional", "usd"),
    Column("bad_debt_usd", "Bad debt", "cents"),
)
_LEVERAGE = (
    Column("leverage_range", "Leverage at the opening"),
    Column("positions", "Positions", "count"),
    Column("size_usd", "Notional", "usd"),
    Column("liquidations", "Liquidated", "count"),
    Column("share_liquidated", "Share", "percent"),
    Column("gaps", "Beyond their margin", "count"),
    Column("bad_debt_usd", "Bad debt", "cents"),
)


def traders(subject: Subject) -> Section:
    """PnL before and after fees over time, and by market and side."""
    return Section("traders", "What traders got", [_result(subject)])


def _result(subject: Subject) -> Figure:
    answers = subject.answers
    rows = answers.rows("trading")
    if not rows:
        return Figure("traders", "Traders' result", "No position was opened.")
    spec, note = lines(answers.frame("traders"), "usd", _TRADERS)
    all_ = rows[-1]
    reading = (
        f"Traders settled {all_.show('pnl_usd', 'gain_usd')} on prices and {all_.show('net_pnl_usd', 'gain_usd')} "
        f"after everything they paid; {all_.show('win_rate_gross', 'share')} of ended positions won before fees, "
        f"{all_.show('win_rate_net', 'share')} after. Fees took {all_.show('fees_per_volume_bps', 'bps')} of volume "
        f"and {all_.show('fees_per_margin', 'percent')} of the margin put in."
    )
    numbers = table.table(rows, _TRADING, "Traders by market and side")
    extra = "The lines count open positions as well, with what they have won and owe; the table is what was settled."
    return Figure("traders", "Traders' result", reading, spec, numbers, ("trading", "traders"), (extra, note))


def liquidations(subject: Subject) -> Section:
    """Liquidations over time and by leverage, and the bad debt of those that came too late."""
    answers = subject.answers
    rows = answers.rows("liquidations")
    head = answers.row("headline")
    if not rows:
        nothing = Figure("liquidations", "Liquidations over time", "Nobody was liquidated.")
        return Section("liquidated", "Liquidations", [nothing])
    worst = max(rows, key=lambda row: row["liquidations"])
    period = subject.period.removeprefix("1 ")
    reading = (
        f"{head.show('liquidations', 'count')} of {head.show('positions_opened', 'count')} positions were liquidated, "
        f"with a notional of {head.show('liquidated_usd', 'usd')}; most at once in {worst.show('market', 'text')}, in "
        f"the {period} of {worst.show('period_start', 'moment' if period == 'hour' else 'day')}: "
        f"{worst.show('liquidations', 'count')}."
    )
    numbers = table.table(rows, _LIQUIDATIONS, "Liquidations by period and market")
    span = bars.Span(min(rows[0]["period_start"], head["from_at"]), head["until_at"], subject.period)
    counts = [(row["period_start"], row["market"], float(row["liquidations"])) for row in rows]
    debts = [(row["period_start"], row["market"], float(row["bad_debt_usd"])) for row in rows if row["bad_debt_usd"]]
    over_time = Figure(
        "liquidations",
        "Liquidations over time",
        reading,
        bars.stacked(counts, subject.palette, span, ",.0f"),
        numbers,
        ("liquidations",),
        (f"Positions per {period}.",),
    )
    gap = (
        f"A price that jumps past a position's margin leaves the pool with the loss: "
        f"{head.show('bad_debt_usd', 'cents')} over the run."
    )
    lost = (
        Figure("gaps", "Gap losses", gap)
        if not debts
        else Figure(
            "gaps",
            "Gap losses",
            gap,
            bars.stacked(debts, subject.palette, span, "$,.2~f"),
            numbers,
            ("liquidations",),
            (f"Bad debt per {period}, in dollars.",),
        )
    )
    return Section("liquidated", "Liquidations", [over_time, _by_leverage(subject), lost])


def _by_leverage(subject: Subject) -> Figure:
    rows = subject.answers.rows("leverage")
    worst = max(rows, key=lambda row: row["share_liquidated"])
    reading = (
        f"Of the positions opened at {worst.show('leverage_range', 'text')}, "
        f"{worst.show('share_liquidated', 'percent')} were liquidated, {worst.show('gaps', 'count')} of them beyond "
        "their margin."
    )
    names = [row["leverage_range"] for row in rows]
    texts = [f"{row['share_liquidated']:.1%} of {row['positions']:,}" for row in rows]
    spec = bars.shares(names, [row["share_liquidated"] for row in rows], texts)
    numbers = table.table(rows, _LEVERAGE, "Liquidations by leverage")
    return Figure("leverage", "Who was liquidated", reading, spec, numbers, ("leverage",))
