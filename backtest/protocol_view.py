"""A protocol as tables for people: each mechanism with what it reads, each value with where it comes from."""

from dataclasses import dataclass
from typing import Any

import msgspec

from backtest.config import Protocol
from backtest.protocols import known_protocols, load_protocol
from backtest.provenance import Origin, provenance

# What each variant reads, by (family, variant); `*` is every custody or market.
_READS = {
    ("borrow", "linear"): "custody.*.max_borrow_per_hour",
    ("borrow", "two_slope"): "custody.*.max_borrow_per_hour, mid_borrow_per_hour, optimal_utilisation_bps",
    ("funding", "none"): "",
    ("funding", "imbalance"): "market.*.max_funding_per_hour, funding_sensitivity_bps, funding_min_oi_usd",
    ("close_fee", "fixed_at_open"): "market.*.close_bps",
    ("close_fee", "age_tiers"): "market.*.close_bps, fees.close_fee_tiers",
    ("leftover", "trader"): "",
    ("leftover", "pool"): "",
    ("swap", "none"): "",
    ("swap", "whitelisted"): "",
    ("trade_price", "oracle"): "market.*.price",
    ("profit", "locked_value"): "custody.*.conf_bps",
    ("liquidation", "max_leverage"): "market.*.max_leverage, liquidation_bps",
    ("valuation", "adrena"): "custody.*.conf_bps, pool.funding_in_aum",
    ("lp_fee", "flat"): "custody.*.add_bps, remove_bps",
}
_MARKS = {"source": "", "assumption": "assumed: ", "override": "override: ", "unstated": "no source stated"}


@dataclass(frozen=True)
class Section:
    """One table: a title, the names of the columns, and rows of text."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def overview() -> list[dict[str, str]]:
    """Name, date, title and description of every shipped protocol."""
    rows = []
    for name in known_protocols():
        protocol = load_protocol(name)
        row = {"name": name, "as_of": protocol.as_of, "title": protocol.title, "description": protocol.description}
        rows.append(row)
    return rows


def plain(protocol: Protocol) -> dict[str, Any]:
    """The protocol as builtins, with `provenance`: per value its path, value, kind and text."""
    origins = [origin._asdict() for origin in provenance(protocol).values()]
    fields: dict[str, Any] = msgspec.to_builtins(protocol)
    return fields | {"provenance": msgspec.to_builtins(origins)}


def sections(protocol: Protocol) -> list[Section]:
    """Mechanisms, pool, fees, custodies and markets, in this order."""
    origins = provenance(protocol)
    chosen = msgspec.to_builtins(protocol.mechanisms)
    mechanisms: list[tuple[str, ...]] = [
        (family, variant, _READS[family, variant], _source([origins[f"mechanisms.{family}"]]))
        for family, variant in chosen.items()
    ]
    return [
        Section("mechanisms", ("mechanism", "variant", "parameters", "source"), mechanisms),
        _table("pool", msgspec.to_builtins(protocol.pool), origins),
        _table("fees", msgspec.to_builtins(protocol.fees), origins),
        _grid("custody", msgspec.to_builtins(protocol.custody), origins),
        _grid("market", msgspec.to_builtins(protocol.market), origins),
    ]


def _table(name: str, values: dict[str, Any], origins: dict[str, Origin]) -> Section:
    rows: list[tuple[str, ...]] = [
        (key, _text(value), _source([origins.get(f"{name}.{key}")])) for key, value in values.items()
    ]
    return Section(name, ("parameter", "value", "source"), rows)


def _grid(name: str, values: tuple[dict[str, Any], ...], origins: dict[str, Origin]) -> Section:
    """Parameters down, symbols across."""
    symbols = [row["symbol"] for row in values]
    rows: list[tuple[str, ...]] = []
    for key in values[0]:
        if key != "symbol":
            found = [origins.get(f"{name}.{symbol}.{key}") for symbol in symbols]
            cells = [_text(row[key] or row["symbol"] if key == "price" else row[key]) for row in values]
            rows.append((key, *cells, _source(found, symbols)))
    return Section(name, ("parameter", *symbols, "source"), rows)


def _source(found: list[Origin | None], symbols: list[str] | None = None) -> str:
    """What is said of one value, or of a row of values: each text once, with its symbols where the row has several."""
    texts: dict[str, list[str]] = {}
    for index, origin in enumerate(found):
        if origin is not None:
            texts.setdefault(_MARKS[origin.kind] + origin.text, []).append(symbols[index] if symbols else "")
    if len(texts) < 2:
        return "".join(texts)
    return "; ".join(f"{', '.join(names)}: {text}" for text, names in texts.items())


def _text(value: Any) -> str:
    """A value as a person reads it: no exponents, thousands separated, tiers spelt out."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,.10f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}"
    if isinstance(value, list | tuple):
        return ", ".join(f"{tier['multiplier']:g}x until {tier['until_s']} s" for tier in value)
    return str(value)
