"""Which column of a position history holds what: the names that venues use, `--map`, and exports that are no histories.

A field has names that say exactly what it is, and `vague` ones that are taken only where no exact one is there (Adrena
has both `entry_date` and the `created_at` of its database row). Names are compared without case and punctuation.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from backtest.errors import UsageError
from backtest.toml_files import hint


@dataclass(frozen=True)
class Field:
    """What an order needs to know. `slot`: fields of one slot are two ways to say the same, of which one is taken."""

    name: str
    doc: str
    exact: str
    vague: str = ""
    required: bool = False
    slot: str = ""


# Adrena /position: entry_date, exit_date, symbol, side, entry_size and entry_collateral_amount [USD], entry_leverage,
#   status (open, close, liquidate), position_id; its created_at and volume are something else.
# Jupiter perps: openTime, sizeUsd, collateralUsd, side, and createdTime, leverage, entryPrice of its positions API.
# GMX v1 stats, type Trade: timestamp, settledTimestamp, indexToken, isLong, size, collateral, averagePrice, status;
#   v2 indexers: openTimestamp, maxSizeInUsd, maxCollateralInUsd (both in 1e-30 USD: give a divisor).
# Synthetix perps v2, futuresPosition: openTimestamp, closeTimestamp, asset, initialMargin, isLiquidated.
# dYdX v4, perpetualPositions: createdAt, closedAt, market, maxSize [tokens], entryPrice, status.
# Hyperliquid, Allium's closed positions and similar views: coin, opened_at, closed_at, entry_px, leverage_value.
# Binance futures, position history: Opened, Closed, Position Side, Max Open Interest [tokens], Entry Price, Status.
# OKX positions-history: cTime, instId, direction, openMaxPos, openAvgPx, lever, posId; its uTime is the close only
#   where a position has ended, so it has to be named.
# Gate, Bitget, MEXC: first_open_time, time_close, contract, holdSide, openTotalPos, openAvgPrice.
FIELDS: tuple[Field, ...] = (
    Field(
        "open_time",
        "when it was opened",
        exact="open_time opened_at opened open_date open_timestamp entry_time entry_date entry_timestamp entry_at "
        "time_open first_open_time date_opened time_create",
        vague="created_at created_time create_time created c_time timestamp datetime date time",
        required=True,
    ),
    Field(
        "close_time",
        "when it ended, empty while open",
        exact="close_time closed_at closed close_date close_timestamp closed_timestamp exit_time exit_date "
        "exit_timestamp exit_at time_close settled_timestamp date_closed",
    ),
    Field(
        "market",
        "what was traded",
        exact="market symbol asset coin pair ticker contract instrument inst_id market_symbol",
        vague="index_token principal_token base_asset base token",
        required=True,
    ),
    Field(
        "side",
        "long or short",
        exact="side position_side direction is_long pos_side hold_side trade_side long_short",
        vague="long position_dir trade_type",
        required=True,
    ),
    Field(
        "size",
        "notional in dollars",
        exact="size_usd entry_size entry_size_usd position_size_usd notional notional_usd notional_value "
        "position_value entry_value entry_notional max_size_in_usd size_in_usd initial_size_usd",
        vague="size position_size volume volume_usd",
        slot="size",
    ),
    Field(
        "quantity",
        "size in tokens, valued at entry_price",
        exact="max_open_interest max_size open_max_pos open_total_pos size_in_tokens size_tokens base_size "
        "max_open_qty token_amount",
        vague="quantity qty contracts amount closed_vol closed_volume closed_qty szi",
        slot="size",
    ),
    Field(
        "collateral",
        "margin in dollars",
        exact="collateral_usd entry_collateral_amount entry_collateral_usd entry_collateral initial_margin "
        "initial_collateral_usd initial_collateral max_collateral_in_usd margin_usd",
        vague="collateral margin collateral_amount initial_margin_usd isolated_margin margin_used",
    ),
    Field(
        "leverage",
        "size as a multiple of the collateral",
        exact="entry_leverage initial_leverage open_leverage",
        vague="leverage lever leverage_value",
    ),
    Field(
        "entry_price",
        "dollars per token at the opening",
        exact="entry_price avg_entry_price average_entry_price open_price open_avg_price open_avg_px entry_px "
        "price_open",
        vague="average_price avg_price",
    ),
    Field(
        "stop_loss",
        "trigger price",
        exact="stop_loss stop_loss_price sl sl_price price_sl",
    ),
    Field(
        "take_profit",
        "trigger price",
        exact="take_profit take_profit_price tp tp_price price_tp",
    ),
    Field(
        "exit_reason",
        "how it ended",
        exact="exit_reason close_reason exit_type close_type closed_type closed_by is_liquidated outcome reason",
        vague="status state position_status type",
    ),
    Field(
        "position_id",
        "names the position, once",
        exact="position_id pos_id trade_id",
        vague="id",
    ),
)
BY_NAME = {field.name: field for field in FIELDS}
NUMBERS = ("size", "quantity", "collateral", "leverage", "entry_price", "stop_loss", "take_profit")

_ONE_ROW = "has a row for each {unit}, not for each position; a history has one row per position"
# Columns that give an export away, and why it is no history of positions, whatever else it has.
_TRAPS: tuple[tuple[frozenset[str], frozenset[str], str], ...] = (
    (  # Bybit GET /v5/position/closed-pnl: `side` and both times are those of the closing order
        frozenset({"closedpnl", "closedsize"}),
        frozenset({"open_time", "side"}),
        "is Bybit's closed PnL, whose times and side are those of the closing order, not of the position; join the "
        "opening times, turn the sides round, and name both columns: --map open_time=COLUMN,side=COLUMN",
    ),
    (frozenset({"startposition", "closedpnl"}), frozenset({"open_time"}), _ONE_ROW.format(unit="fill")),  # Hyperliquid
    (frozenset({"sizedeltausd"}), frozenset({"open_time"}), _ONE_ROW.format(unit="trade")),  # GMX v2 tradeActions
    (frozenset({"collateralusddelta"}), frozenset({"open_time"}), _ONE_ROW.format(unit="trade")),  # Jupiter trades
)


class Source(NamedTuple):
    """The column that holds a field, and what its numbers are divided by to be in our unit."""

    column: str
    divisor: float = 1.0

    @property
    def text(self) -> str:
        divisor = re.sub(r"e\+0*", "e", f"{self.divisor:g}")
        return self.column if self.divisor == 1.0 else f"{self.column}/{divisor}"


def parse_map(text: str) -> dict[str, Source | None]:
    """`field=column,field=column/1e6,field=` as sources by field, None where the field is to be left out."""
    mapping: dict[str, Source | None] = {}
    for part in filter(None, (item.strip() for item in text.split(","))):
        name, equals, column = (word.strip() for word in part.partition("="))
        if not equals:
            raise UsageError(f"--map {part}: no '='; write field=column, and field= to leave a field out")
        if name not in BY_NAME:
            raise UsageError(f"--map {part}: {name!r} is not a field; {hint(name, BY_NAME)}")
        head, slash, tail = column.rpartition("/")
        divisor = _divisor(tail) if slash and name in NUMBERS else None
        mapping[name] = None if not column else Source(head.strip(), divisor) if divisor else Source(column)
    return mapping


def _divisor(text: str) -> float | None:
    """A positive finite number, or None: then the slash is part of the column's name."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0.0 < value < float("inf") else None


def parse_names(text: str) -> dict[str, str]:
    """`X=Y,X=Y` as a dictionary."""
    names: dict[str, str] = {}
    for part in filter(None, (item.strip() for item in text.split(","))):
        theirs, equals, ours = (word.strip() for word in part.rpartition("="))
        if not (theirs and equals and ours):
            raise UsageError(f"--market-map {part}: write X=Y, the name in the file and the name at the venue")
        names[theirs] = ours
    return names


def recognise(
    path: Path, columns: Sequence[str], mapping: Mapping[str, Source | None], constants: Collection[str] = ()
) -> dict[str, Source]:
    """The source of each field that the file has; `UsageError` where a needed one is missing or two fit equally.

    `constants`: fields that need no column, because the caller has a value for all rows.
    """
    for name, source in mapping.items():
        if source and source.column not in columns:
            raise UsageError(f"{path}: --map {name}={source.text}: no such column; there are: {_listed(columns)}")
    plain = {_plain(column) for column in columns}
    for signs, settled_by, problem in _TRAPS:
        if signs <= plain and not all(mapping.get(name) for name in settled_by):
            raise UsageError(f"{path}: {problem}")
    found = {name: source for name, source in mapping.items() if source}
    taken = {source.column for source in found.values()}
    free = [column for column in columns if column not in taken]
    for slot in dict.fromkeys(field.slot or field.name for field in FIELDS):
        fields = [field for field in FIELDS if slot in (field.slot, field.name)]
        if any(field.name in found for field in fields):
            continue
        candidates = _candidates([field for field in fields if field.name not in mapping], free)
        if len(candidates) > 1:
            choices = " or ".join(f"--map {name}={column}" for name, column in candidates)
            raise UsageError(f"{path}: columns {_listed([column for _, column in candidates])} could each be the "
                             f"{slot}; choose: {choices}")  # fmt: skip
        if candidates:
            found[candidates[0][0]] = Source(candidates[0][1])
    _check_needed(path, columns, found, constants)
    return found


def _candidates(fields: Sequence[Field], columns: Sequence[str]) -> list[tuple[str, str]]:
    """(field, column) pairs of the exact names; of the vague ones where there is no exact one."""
    for names_of in ("exact", "vague"):
        known = {_plain(name): field.name for field in fields for name in getattr(field, names_of).split()}
        found = [(known[_plain(column)], column) for column in columns if _plain(column) in known]
        if found:
            return found
    return []


def _check_needed(path: Path, columns: Sequence[str], found: Mapping[str, Source], constants: Collection[str]) -> None:
    """Refuse a file without what an order cannot do without."""
    there = f"there are: {_listed(columns)}"
    for field in FIELDS:
        if field.required and field.name not in found:
            raise UsageError(f"{path}: no column for {field.name} ({field.doc}); {there}; say which: "
                             f"--map {field.name}=COLUMN")  # fmt: skip
    if "quantity" in found and "entry_price" not in found:
        raise UsageError(f"{path}: column '{found['quantity'].column}' is a size in tokens and needs an entry price; "
                         f"{there}; say which: --map entry_price=COLUMN, or --map size=COLUMN in dollars")  # fmt: skip
    given = [name for name in ("collateral", "leverage") if name in found or name in constants]
    if not given or (len(given) == 1 and not {"size", "quantity"} & found.keys()):
        raise UsageError(
            f"{path}: an order needs two of size, collateral and leverage; {there}; say which: "
            "--map size=COLUMN,collateral=COLUMN, or give --leverage where the venue keeps none"
        )


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(columns) or "none"
