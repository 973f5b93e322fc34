"""What the run was made of: span, order flow, files with their hashes, rules of the venue, dated changes, versions."""

import html
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from backtest.report import table
from backtest.report.formats import told
from backtest.report.page import Section
from backtest.report.subject import Subject
from backtest.report.table import Column

_REFUSED = (Column("reason", "Reason"), Column("orders", "Orders", "count"))


def provenance(subject: Subject) -> Section:
    """Tables of the configuration and of everything that went in."""
    manifest = subject.manifests[0]
    protocol = manifest.get("protocol") or {}
    parts = [
        _block("The run", table.plain(("", ""), _facts(manifest), "The run")),
        _input_files(manifest),
        _refused(subject),
        _folded("Mechanisms", table.plain(("Mechanism", "Variant"), _pairs(protocol.get("mechanisms")), "Mechanisms")),
        _folded("Pool and fees", table.plain(("Parameter", "Value"), _pool(protocol), "Pool and fees")),
        _folded("Custodies", _transposed(protocol.get("custody") or (), "Custodies")),
        _folded("Markets", _transposed(protocol.get("market") or (), "Markets")),
        _changes(manifest),
    ]
    return Section("provenance", "What it was made of", [part for part in parts if part])


def _facts(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a reader asks first; the manifest of the run has the rest."""
    protocol, scenario = manifest.get("protocol") or {}, manifest.get("scenario") or {}
    span, versions = manifest.get("span") or {}, manifest.get("versions") or {}
    flows = [
        f"{flow['name']} (seed {flow['seed']}, {flow['positions']:,} positions)" for flow in manifest.get("flow") or ()
    ]
    facts = [
        ("Run", manifest.get("name")),
        ("Scenario", scenario.get("title") or scenario.get("name")),
        ("Venue", f"{protocol.get('title') or protocol.get('name', '')} ({protocol.get('name', '')})"),
        ("Rules as of", protocol.get("as_of")),
        ("Description", protocol.get("description")),
        ("Span", f"{span.get('start', '')} to {span.get('end', '')}, {span.get('ticks', 0):,} ticks"),
        ("Candles to ticks", scenario.get("path")),
        ("Oldest price that trades", scenario.get("max_staleness")),
        ("Execution delay", scenario.get("execution_delay")),
        ("Sampled every", scenario.get("sample_interval")),
        ("Order flow", "synthetic: " + "; ".join(flows) if flows else "from files"),
        ("Price sources", ", ".join(f"{name} = {source}" for name, source in (manifest.get("symbols") or {}).items())),
        ("Overrides", ", ".join(f"{path} = {told(value)}" for path, value in (scenario.get("set") or {}).items())),
        ("Result hash", manifest.get("result_hash")),
        ("Made with", ", ".join(f"{name} {version}" for name, version in versions.items())),
    ]
    return [(name, str(value)) for name, value in facts if value]


def _input_files(manifest: Mapping[str, Any]) -> str:
    """Files by name alone: where they lie on one machine says nothing to the next reader."""
    rows = [
        (entry["role"], PurePath(str(entry["path"])).name, f"{entry.get('bytes', 0):,}", str(entry["sha256"]))
        for entry in manifest.get("inputs", ())
    ]
    heads = ("Role", "File", "Bytes", "SHA-256")
    return _block("Input files", table.plain(heads, rows, "Input files")) if rows else ""


def _refused(subject: Subject) -> str:
    rows = subject.answers.rows("refused")
    if not rows:
        return "<p>No order was refused.</p>"
    return _folded("Refused orders", table.table(rows, _REFUSED, "Refused orders"))


def _pool(protocol: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(f"{name}.{key}", text) for name in ("pool", "fees") for key, text in _pairs(protocol.get(name))]


def _pairs(values: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    return [(key, told(value)) for key, value in (values or {}).items() if value is not None]


def _transposed(rows: Sequence[Mapping[str, Any]], caption: str) -> str:
    """A column per symbol and a line per parameter that any of them has."""
    if not rows:
        return ""
    keys = [key for key in rows[0] if key != "symbol" and any(row.get(key) not in (None, "") for row in rows)]
    lines = [(key, *(told(row.get(key)) for row in rows)) for key in keys]
    return table.plain(("Parameter", *(str(row["symbol"]) for row in rows)), lines, caption)


def _changes(manifest: Mapping[str, Any]) -> str:
    rows = [
        (change["time"][:10], value["path"], told(value["before"]), told(value["after"]), _said(value))
        for change in manifest.get("changes") or ()
        for value in change.get("values", ())
    ]
    heads = ("Date", "Parameter", "Before", "After", "Source")
    return _folded("Changes of the rules during the run", table.plain(heads, rows, "Changes")) if rows else ""


def _said(value: Mapping[str, Any]) -> str:
    if value.get("source"):
        return str(value["source"])
    return f"assumed: {value['assumption']}" if value.get("assumption") else ""


def _block(title: str, content: str) -> str:
    return f'<div class="block"><h3>{html.escape(title)}</h3>{content}</div>'


def _folded(title: str, content: str) -> str:
    return f'<details class="block"><summary>{html.escape(title)}</summary>{content}</details>' if content else ""
