"""The pool: what it holds, how much of it is in use and at what price, and which way its traders lean."""

import polars as pl

from backtest.report import colours, table
from backtest.report.lines import Style, lines, plain, steps
from backtest.report.page import Figure, Section
from backtest.report.subject import Subject
from backtest.report.table import Column

_BALANCE = (
    Column("custody", "Custody"),
    Column("first_share", "First", "share"),
    Column("last_share", "Last", "share"),
    Column("lowest_share", "Lowest", "share"),
    Column("highest_share", "Highest", "share"),
    Column("target_share", "Target", "share"),
    Column("off_target", "Off target", "gain_points"),
)
_USE = (
    Column("custody", "Custody"),
    Column("mean_utilisation", "Mean use", "share"),
    Column("highest_utilisation", "Highest", "share"),
    Column("last_utilisation", "Last", "share"),
    Column("mean_rate", "Mean rate per year", "percent"),
    Column("highest_rate", "Highest", "percent"),
)
_SKEW = "Skew"


def pool(subject: Subject) -> Section:
    """Composition, utilisation, borrow rates and open interest."""
    parts = [_composition(subject), _utilisation(subject), _borrow_rate(subject), _interest(subject)]
    return Section("pool", "The pool", parts)


def _composition(subject: Subject) -> Figure:
    answers = subject.answers
    rows = answers.rows("balance")
    names = [row["custody"] for row in rows]
    styles = plain(names, subject.palette)
    spec, note = lines(answers.frame("composition"), "percent", styles)
    targets = answers.frame("targets")
    head = answers.row("headline")
    spec["data"] += steps(targets, head["until_at"], styles)
    first = rows[0]
    reading = f"{first.show('custody', 'text')} is the largest part, {first.show('last_share', 'share')} at the end. "
    aimed = [row for row in rows if row["off_target"] is not None]
    if aimed:
        far = max(aimed, key=lambda row: abs(row["off_target"]))
        reading += (
            f"Dotted lines are the targets; furthest from its own at the end is {far.show('custody', 'text')}, "
            f"by {far.show('off_target', 'gain_points')}."
        )
    else:
        reading += "The venue states no target."
    numbers = table.table(rows, _BALANCE, "Shares of the pool's value")
    return Figure(
        "composition",
        "What the pool holds",
        reading,
        spec,
        numbers,
        ("balance", "composition", "targets"),
        ("Shares of the value of the tokens that the pool owns.", note),
    )


def _utilisation(subject: Subject) -> Figure:
    answers = subject.answers
    rows = answers.rows("use")
    names = [row["custody"] for row in rows if row["highest_utilisation"]]
    numbers = table.table(rows, _USE, "Utilisation and borrow rates")
    if not names:
        return Figure("utilisation", "How much of it is in use", "Nothing was ever locked for a position.")
    spec, note = lines(answers.frame("utilisation"), "percent", plain(names, subject.palette))
    peak = max(rows, key=lambda row: row["highest_utilisation"])
    reading = (
        f"Tokens locked for open positions, of those owned. {rows[0].show('custody', 'text')} was used most, "
        f"{rows[0].show('mean_utilisation', 'share')} on average; the highest was "
        f"{peak.show('highest_utilisation', 'share')}, in {peak.show('custody', 'text')}."
    )
    extra = _left_out(len(rows) - len(names), "that were never used")
    return Figure(
        "utilisation", "How much of it is in use", reading, spec, numbers, ("use", "utilisation"), (extra, note)
    )


def _borrow_rate(subject: Subject) -> Figure:
    answers = subject.answers
    rows = answers.rows("use")
    names = [row["custody"] for row in rows if row["highest_rate"]]
    if not names:
        return Figure("borrow", "What borrowing it costs", "This venue charged no borrow interest during the run.")
    spec, note = lines(answers.frame("borrow_rate"), "percent", plain(names, subject.palette))
    peak = max(rows, key=lambda row: row["highest_rate"])
    reading = (
        f"The borrow rate in force, per year. It averaged {rows[0].show('mean_rate', 'percent')} for "
        f"{rows[0].show('custody', 'text')} and peaked at {peak.show('highest_rate', 'percent')} for "
        f"{peak.show('custody', 'text')}."
    )
    numbers = table.table(rows, _USE, "Utilisation and borrow rates")
    extra = _left_out(len(rows) - len(names), "whose rate was always zero")
    return Figure("borrow", "What borrowing it costs", reading, spec, numbers, ("use", "borrow_rate"), (extra, note))


def _left_out(count: int, why: str) -> str:
    return f"Left out: {count} custod{'y' if count == 1 else 'ies'} {why}." if count else ""


def _interest(subject: Subject) -> Figure:
    answers = subject.answers
    frame = answers.frame("interest")
    level = answers.row("skew")
    if not level["highest_usd"]:
        return Figure("interest", "Which way traders lean", "No position was open at any sample.")
    used = set(frame.filter(pl.col("value") != 0)["series"])
    styles, names = {}, []
    for market in dict.fromkeys(market["symbol"] for market in subject.manifests[0]["markets"]):
        colour = subject.palette.get(market, colours.FAINT)
        for side in ("long", "short"):
            name = f"{market} {side}"
            if name in used:
                styles[name] = Style(colour, group=side)
                names.append(name)
    styles[_SKEW] = Style(colours.INK, 1.8)
    spec, note = lines(frame, "usd", styles)
    reading = (
        f"Longs above zero, shorts below, the line their difference. Open interest averaged "
        f"{level.show('mean_long_usd', 'usd')} long and {level.show('mean_short_usd', 'usd')} short; longs outweighed "
        f"shorts in {level.show('long_heavy', 'share')} of the samples, and the widest skew was "
        f"{level.show('widest_skew_usd', 'gain_usd')}."
    )
    numbers = subject.numbers("interest", [*names, _SKEW], "usd", "Open interest")
    queries = ("interest", "interest.levels", "skew")
    return Figure("interest", "Which way traders lean", reading, spec, numbers, queries, (note,))
