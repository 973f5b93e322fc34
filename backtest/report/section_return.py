"""The return of the LP token against holding the pool's basket, and where the change of the pool's value came from."""

from backtest.report import bars, colours, table
from backtest.report.lines import Style, lines
from backtest.report.page import Figure, Section
from backtest.report.subject import Subject
from backtest.report.table import Column

_BENCHMARK = {
    "Basket held": Style(colours.BAND, 5),  # broad and pale, so that the thin line on it shows where they part
    "LP token": Style(colours.GAIN, 1.6),
    "LP token with rewards": Style(colours.GAIN, 1.6, "dash"),
    "Dollars": Style(colours.FAINT, 1.2, "dot"),
}
_EARNED = {
    "All of it": Style(colours.INK, 2.2),
    "Fees kept": Style(colours.GAIN),
    "Price losses of traders": Style(colours.series(1)),
    "Bad debt": Style(colours.LOSS),
    "The rest": Style(colours.FAINT),
}
_FEES = (
    Column("source", "Source"),
    Column("lp_usd", "To LPs", "cents"),
    Column("protocol_usd", "To the protocol", "cents"),
    Column("referrer_usd", "To referrers", "cents"),
    Column("liquidator_usd", "To liquidators", "cents"),
    Column("all_usd", "All", "cents"),
)
_TAKERS = {
    "lp_usd": ("LPs", colours.GAIN),
    "protocol_usd": ("Protocol", colours.INK),
    "referrer_usd": ("Referrers", colours.FAINT),
    "liquidator_usd": ("Liquidators", colours.LOSS),
}


def returns(subject: Subject) -> Section:
    """One dollar in the LP token, in the basket, in dollars."""
    return Section("return", "What an LP got", [benchmark(subject), _against(subject)])


def benchmark(subject: Subject) -> Figure:
    """LP price against the first basket held, indexed to one dollar."""
    answers = subject.answers
    head = answers.row("headline")
    frame = answers.frame("benchmark")
    spec, note = lines(frame, "dollar", _BENCHMARK)
    rewards = (
        f" With the rewards paid beside the pool it is {head.show('lp_return_with_rewards', 'gain_percent')}."
        if head["rewards_usd"]
        else ""
    )
    reading = (
        f"One dollar in LP tokens returned {head.show('lp_return', 'gain_percent')}.{rewards} The tokens the pool "
        f"began with, held and left alone, returned {head.show('basket_return', 'gain_percent')}."
    )
    names = [name for name in _BENCHMARK if name in set(frame["series"])]
    numbers = subject.numbers("benchmark", names, "dollar", "Value of one dollar")
    return Figure(
        "benchmark", "One dollar, three ways", reading, spec, numbers, ("benchmark", "benchmark.levels"), (note,)
    )


def _against(subject: Subject) -> Figure:
    answers = subject.answers
    head = answers.row("headline")
    frame = answers.frame("against")
    names = list(dict.fromkeys(frame["series"]))
    spec, note = lines(frame, "dollar", {name: Style(colours.GAIN, 1.6, fill=True) for name in names})
    spec["layout"] |= {"showlegend": False, "height": 240}
    reading = (
        f"The distance between the two lines above: what standing opposite the traders was worth to an LP who would "
        f"have held the tokens anyway. It ended at {head.show('against_basket', 'gain_points')}."
    )
    numbers = subject.numbers("against", names, "dollar", "LP token less basket")
    extra = (
        "Per dollar put in. The pool does not hold its first basket: traders' results and flows change what it owns."
    )
    return Figure(
        "against", "LP token less basket", reading, spec, numbers, ("against", "against.levels"), (extra, note)
    )


def attribution(subject: Subject) -> Section:
    """The waterfall, what was earned over time apart from the assets, and who got the fees."""
    parts = [waterfall(subject), _earned(subject), _fees(subject)]
    return Section("attribution", "Where it came from", parts)


def waterfall(subject: Subject) -> Figure:
    """The change of AUM by source, summing to it exactly."""
    rows = subject.answers.rows("waterfall")
    head = subject.answers.row("headline")
    if not any(row["amount_usd"] for row in rows):
        return Figure("waterfall", "The change of AUM, source by source", "The pool's value did not change.")
    spec = bars.waterfall([(row["source"], row["amount_usd"]) for row in rows], "Change of AUM")
    flows = (
        f" and LPs' deposits less withdrawals for {head.show('lp_flow_usd', 'gain_usd')}" if head["lp_flow_usd"] else ""
    )
    reading = (
        f"The pool's value changed by {head.show('change_usd', 'gain_usd')}. Prices of its assets account for "
        f"{head.show('asset_drift_usd', 'gain_usd')}{flows}; all the rest is trading, "
        f"{head.show('earned_usd', 'gain_usd')}."
    )
    numbers = table.table(
        rows, (Column("source", "Source"), Column("amount_usd", "Amount", "exact_usd")), "Attribution"
    )
    note = "First sample to last. The amounts sum to the change exactly; those of less than a dollar have no bar."
    return Figure("waterfall", "The change of AUM, source by source", reading, spec, numbers, ("waterfall",), (note,))


def _earned(subject: Subject) -> Figure:
    answers = subject.answers
    head = answers.row("headline")
    frame = answers.frame("earned")
    if not (frame["value"] != 0).any():
        return Figure("earned", "What trading earned the pool", "Trading brought the pool nothing and cost it nothing.")
    spec, note = lines(frame, "usd", _EARNED)
    reading = (
        f"The same without what the assets did and without LP flows: fees brought "
        f"{head.show('fees_kept_usd', 'gain_usd')}, traders' price results "
        f"{head.show('from_traders_usd', 'gain_usd')}, bad debt {head.show('bad_debt_change_usd', 'gain_usd')}. Above "
        "zero the pool earned."
    )
    if head["rewards_usd"]:
        reading += f" What LPs were paid beside the pool, {head.show('rewards_usd', 'usd')}, is not in it."
    numbers = subject.numbers("earned", list(_EARNED), "usd", "Earned since the first sample")
    extra = (
        "Open positions count with what they owe and have won. The rest: confiscated margin, oracle bounds, rounding."
    )
    return Figure(
        "earned", "What trading earned the pool", reading, spec, numbers, ("earned", "earned.levels"), (extra, note)
    )


def _fees(subject: Subject) -> Figure:
    rows = subject.answers.rows("fees")
    head = subject.answers.row("headline")
    if not rows:
        return Figure("fees", "Who got the fees", "No fee was settled.")
    reading = (
        f"Fees settled: {head.show('fees_usd', 'usd')}, of which {head.show('fees_of_lps_usd', 'usd')} went to LPs, "
        f"{head.show('fees_of_protocol_usd', 'usd')} to the protocol and "
        f"{head.show('fees_of_referrers_usd', 'usd')} to referrers."
    )
    taken = [name for name in _TAKERS if any(row[name] for row in rows)]
    spec = bars.parts(
        [(row["source"], [row[name] for name in taken]) for row in rows], dict(_TAKERS[name] for name in taken)
    )
    note = "Funding and confiscated margin are no fees, but go the same way; a negative amount was paid to traders."
    return Figure(
        "fees", "Who got the fees", reading, spec, table.table(rows, _FEES, "Fees by source"), ("fees",), (note,)
    )
