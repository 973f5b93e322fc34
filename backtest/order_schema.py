"""The schema of an order file, said once: it validates, documents and drives the conversion to integers.

A column is read by its `kind`, scaled by its `scale` and lands in the field of `kernels.state.Orders` that it
names. What an action asks for is written beside the columns (`required`, `allowed`) and in `CHOICES`.
Adding a column or an action is a change of these tables, not of the reader.
"""

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]

from kernels import codes

Kind = Literal["time", "id", "text", "number", "flag"]

# Types that a column of a kind may have in the file, as documented; `accepts` decides.
TYPES: dict[Kind, str] = {
    "time": "timestamp[us, UTC] (any precision, never naive)",
    "id": "int64 (any integer)",
    "text": "string (or dictionary of strings)",
    "number": "double, decimal or any integer",
    "flag": "bool",
}

_TRADES = codes.ACTIONS[: codes.FIRST_POOL_ACTION]
_OPENS = ("open", "limit_open")
_SIZED = ("open", "limit_open", "increase")
_FUNDED = (*_SIZED, "deposit_collateral")
_LIQUIDITY = ("add_liquidity", "remove_liquidity")
_PAYING_IN = ("donate", "issue_dollars")  # tokens of one custody, without LP tokens
_EVERY = codes.ACTIONS

LP_DECIMALS = 6
PRICE_POWER = 10


@dataclass(frozen=True)
class Column:
    """One column of an order file.

    `scale`: power of ten from the file's unit to the integer of `field`, or whose decimals give it: "collateral"
    (the custody behind market and side) or "amount" (the custody of the row, 6 for LP tokens, the traded one to open).
    `required`, `allowed`: actions that need the column, and that have a use for it; elsewhere it must be null.
    `zero`: actions for which 0 has a meaning. `needs`: columns without which a value cannot be read.
    """

    name: str
    kind: Kind
    unit: str
    doc: str
    field: str = ""
    scale: int | Literal["collateral", "amount"] = 0
    required: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    zero: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    maximum: float | None = None
    absent: int = -1

    @property
    def used_by(self) -> frozenset[str]:
        return frozenset(self.required) | frozenset(self.allowed)


def _price(
    name: str, doc: str, required: tuple[str, ...] = (), allowed: tuple[str, ...] = (), **more: tuple[str, ...]
) -> Column:
    return Column(name, "number", "USD", doc, name, PRICE_POWER, required, allowed, **more)  # type: ignore[arg-type]


COLUMNS: tuple[Column, ...] = (
    Column(
        "timestamp", "time", "UTC", "when the order is sent; due this plus the execution delay", "due_us", 0, _EVERY
    ),
    Column("order_id", "id", "", "unique; orders of one timestamp are taken in its order", "order_id", 0, _EVERY),
    Column("action", "text", "", "one of " + ", ".join(codes.ACTIONS), "action", 0, _EVERY),
    Column("position_id", "id", "", "names the position; may be used again once closed", "position_id", 0, _TRADES),
    Column("market", "text", "", "traded symbol; needed to open, elsewhere optional", "market", 0, _OPENS, _EVERY),
    Column("side", "text", "", "long or short; needed to open, elsewhere optional", "side", 0, _OPENS, _EVERY),
    Column(
        "size_usd",
        "number",
        "USD",
        "notional to add or (decrease) to take off; redeem_dollars: internal dollars to give back",
        "size_usd",
        6,
        ("redeem_dollars",),
        (*_SIZED, "decrease"),
    ),
    Column(
        "leverage",
        "number",
        "x",
        "notional as a multiple of the collateral of this order",
        "leverage_bps",
        4,
        (),
        _SIZED,
    ),
    Column(
        "collateral",
        "number",
        "tokens",
        "margin in tokens of the collateral custody, the one behind market and side (so both must be given)",
        "collateral_units",
        "collateral",
        (),
        _FUNDED,
        needs=("market", "side"),
    ),
    Column(
        "collateral_usd",
        "number",
        "USD",
        "margin in dollars, in or (withdraw_collateral) out; decrease: margin to take out with it (pooled margin)",
        "collateral_usd",
        6,
        ("withdraw_collateral",),
        (*_FUNDED, "decrease"),
    ),
    Column(
        "collateral_custody",
        "text",
        "",
        "a check only: must be the custody behind market and side (so both must be given)",
        allowed=_EVERY,
        needs=("market", "side"),
    ),
    _price(
        "limit_price",
        "worst price at which the order may execute; limit_open: far end of the band that starts at trigger_price",
        (),
        (*_SIZED, "decrease", "close"),
    ),
    _price("trigger_price", "a long is entered at or below it, a short at or above", ("limit_open",)),
    _price(
        "stop_loss", "null leaves it; 0 clears it (set_triggers)", (), (*_OPENS, "set_triggers"), zero=("set_triggers",)
    ),
    _price(
        "take_profit",
        "null leaves it; 0 clears it (set_triggers)",
        (),
        (*_OPENS, "set_triggers"),
        zero=("set_triggers",),
    ),
    _price("stop_limit", "worst price at which the stop-loss may execute", (), (*_OPENS, "set_triggers")),
    Column(
        "fraction",
        "number",
        "of the position",
        "share to close, in (0, 1]",
        "fraction_e6",
        6,
        (),
        ("decrease",),
        maximum=1.0,
    ),
    Column("lp_account", "id", "", "whose LP tokens; null is account 0", "lp_account", 0, (), _EVERY, absent=0),
    Column(
        "custody",
        "text",
        "",
        "token added, taken out, given in a swap, or whose interest is brought up to date (accrue); distribute_fees: "
        "the one reserve to empty, null is all",
        "custody",
        0,
        (*_LIQUIDITY, "swap", "accrue", *_PAYING_IN, "redeem_dollars"),
        ("distribute_fees",),
    ),
    Column("custody_out", "text", "", "token received in a swap", "custody_out", 0, ("swap",)),
    Column(
        "amount",
        "number",
        "tokens",
        "tokens of `custody`, or LP tokens (remove_liquidity); open: size in tokens of the traded custody",
        "amount_units",
        "amount",
        (*_LIQUIDITY, "swap", *_PAYING_IN),
        ("open",),
    ),
    Column("referred", "flag", "", "the trader was referred; null is false", "referred", 0, (), _EVERY, absent=0),
)
BY_NAME = {column.name: column for column in COLUMNS}
REQUIRED_COLUMNS = ("timestamp", "order_id", "action")


@dataclass(frozen=True)
class Choice:
    """Columns of which an order of these actions gives exactly one, or (`several`) at least one."""

    columns: tuple[str, ...]
    actions: tuple[str, ...]
    several: bool = False

    @property
    def text(self) -> str:
        return f"{'at least' if self.several else 'exactly'} one of {_listed(self.columns, 'and')}"

    def others(self, column: str) -> tuple[str, ...]:
        """The columns that could be given in place of this one."""
        return tuple(name for name in self.columns if name != column)


def _listed(names: tuple[str, ...], word: str) -> str:
    return f"{', '.join(names[:-1])} {word} {names[-1]}" if len(names) > 1 else names[0]


CHOICES: tuple[Choice, ...] = (
    Choice(("leverage", "size_usd", "amount"), ("open",)),
    Choice(("leverage", "size_usd"), ("limit_open", "increase")),
    Choice(("collateral", "collateral_usd"), _FUNDED),
    Choice(("fraction", "size_usd"), ("decrease",)),
    Choice(("stop_loss", "take_profit"), ("set_triggers",), several=True),
)


@dataclass(frozen=True)
class Names:
    """Names of a resolved protocol; the position in a tuple is the integer id that the kernels see.

    `long_custody`, `short_custody`: custody id per market, -1 where the side is not offered.
    """

    custodies: tuple[str, ...]
    custody_decimals: tuple[int, ...]
    markets: tuple[str, ...]
    long_custody: tuple[int, ...]
    short_custody: tuple[int, ...]


def accepts(kind: Kind, given: pa.DataType) -> bool:
    """Whether a column of this kind may have this type. A column of nulls only is absent, whatever it holds."""
    if pa.types.is_null(given):
        return True
    if pa.types.is_dictionary(given) and kind == "text":
        given = given.value_type
    match kind:
        case "time":
            return pa.types.is_timestamp(given) and given.tz is not None
        case "id":
            return bool(pa.types.is_integer(given))
        case "text":
            return bool(pa.types.is_string(given) or pa.types.is_large_string(given) or pa.types.is_string_view(given))
        case "flag":
            return bool(pa.types.is_boolean(given))
        case "number":
            if pa.types.is_decimal32(given) or pa.types.is_decimal64(given) or pa.types.is_decimal128(given):
                return bool(given.scale >= 0)
            return bool(pa.types.is_integer(given) or pa.types.is_floating(given))


def required_text(column: Column) -> str:
    """Which actions need a column: names, 'every action', or the choice that it takes part in."""
    if column.required == _EVERY:
        return "every action"
    parts = [", ".join(column.required)] if column.required else []
    for choice in CHOICES:
        if column.name in choice.columns:
            others = _listed(choice.others(column.name), "or")
            parts.append(f"{', '.join(choice.actions)} ({'and/or' if choice.several else 'or else'} {others})")
    return "; ".join(parts)


def schema_table() -> list[dict[str, str]]:
    """The schema as rows for a person: column, type, unit, required by, optional for, meaning."""
    rows = []
    for column in COLUMNS:
        chosen = {action for choice in CHOICES if column.name in choice.columns for action in choice.actions}
        optional = [name for name in _EVERY if name in column.used_by - set(column.required) - chosen]
        everywhere = len(optional) + len(column.required) == len(_EVERY) and bool(optional)
        rows.append(
            {
                "column": column.name,
                "type": TYPES[column.kind],
                "unit": column.unit,
                "required by": required_text(column),
                "optional for": "all others"
                if everywhere and column.required
                else "all"
                if everywhere
                else ", ".join(optional),
                "meaning": column.doc,
            }
        )
    return rows
