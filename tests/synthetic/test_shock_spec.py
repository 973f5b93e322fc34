"""How shocks are written: what each part means, and the one message for each part that is wrong."""

from datetime import UTC, datetime

import pytest

from backtest.errors import UsageError
from backtest.synthetic.shock_spec import FORMS, Shock, parse, resolve

AT = int(datetime(2024, 8, 5, 6, tzinfo=UTC).timestamp()) * 1_000_000
MINUTE = 60_000_000
HOUR = 60 * MINUTE
TIME = "@2024-08-05T06:00"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("SOL:-60%:30m", {"change": -0.6, "ramp_us": 30 * MINUTE}),
        ("SOL:+12.5%:gap", {"change": 0.125, "ramp_us": 0}),
        ("SOL:-60%:gap:recover=6h", {"change": -0.6, "ramp_us": 0, "recovered": 1.0, "recover_us": 6 * HOUR}),
        (
            "SOL:-60%:1h30m:recover=50%/6h",
            {"change": -0.6, "ramp_us": 90 * MINUTE, "recovered": 0.5, "recover_us": 6 * HOUR},
        ),
        ("SOL:outage:2h", {"outage": True, "ramp_us": 2 * HOUR}),
        ("SOL:depeg:-12%:3h", {"depeg": True, "change": -0.12, "ramp_us": 3 * HOUR}),
        (
            "SOL:depeg:-12%:3h:recover=2d",
            {"depeg": True, "change": -0.12, "ramp_us": 3 * HOUR, "recovered": 1.0, "recover_us": 48 * HOUR},
        ),
    ],
)
def test_meaning(text: str, meant: dict) -> None:
    expected = {"text": text + TIME, "symbols": ("SOL",), "start_us": AT, "outage": False} | meant
    assert parse(text + TIME) == Shock(**expected)


def test_symbols() -> None:
    assert parse(f"SOL+USDC/USD:-1%:gap{TIME}").symbols == ("SOL", "USDC/USD")
    everything = parse(f"*:-1%:gap{TIME}")
    assert resolve(everything, ["SOL", "BTC"], ["USDC"]) == ("SOL", "BTC")
    assert resolve(parse(f"USDC:-1%:gap{TIME}"), ["SOL"], ["USDC"]) == ("USDC",)


def test_knots() -> None:
    shock = parse(f"SOL:-1%:30m:recover=6h{TIME}")
    assert shock.knots == (AT, AT + 30 * MINUTE, AT + 30 * MINUTE + 6 * HOUR)
    assert shock.end_us == AT + 30 * MINUTE


@pytest.mark.parametrize(
    ("text", "part", "problem"),
    [
        ("SOL:-60%:30m", "SOL:-60%:30m", "has no @TIME; end it with a moment such as @2024-08-05T06:00"),
        ("SOL:-60%:30m@noon", "noon", "is not a date; write 2025-01-31 or 2025-01-31T12:00:00 (UTC)"),
        (f":-60%:30m{TIME}", "", "names no symbols; write SOL, SOL+BTC or * for all of the history"),
        (f"SOL+:-60%:30m{TIME}", "SOL+", "names no symbols; write SOL, SOL+BTC or * for all of the history"),
        (f"*+SOL:-60%:30m{TIME}", "*+SOL", "names no symbols; write SOL, SOL+BTC or * for all of the history"),
        (f"SOL{TIME}", "SOL", f"is no shock; write {FORMS[0]}"),
        (f"SOL:-60%{TIME}", "SOL:-60%", f"is no shock; write {FORMS[0]}"),
        (f"SOL:-6%:1m:recover=1h:x{TIME}", "SOL:-6%:1m:recover=1h:x", f"is no shock; write {FORMS[0]}"),
        (f"SOL:depeg:-60%{TIME}", "SOL:depeg:-60%", f"is no shock; write {FORMS[1]}"),
        (f"SOL:outage{TIME}", "SOL:outage", f"is no outage; write {FORMS[2]}"),
        (f"SOL:outage:2h:gap{TIME}", "SOL:outage:2h:gap", f"is no outage; write {FORMS[2]}"),
        (f"SOL:outage:0h{TIME}", "0h", "is no time at all; give a duration such as 30m"),
        (f"SOL:60%:30m{TIME}", "60%", "is no change of the price; write it with its sign, such as -60% or +25%"),
        (f"SOL:-60:30m{TIME}", "-60", "is no change of the price; write it with its sign, such as -60% or +25%"),
        (f"SOL:-100%:30m{TIME}", "-100%", "leaves no price above zero; give a fall of less than 100%"),
        (f"SOL:-250%:30m{TIME}", "-250%", "leaves no price above zero; give a fall of less than 100%"),
        (f"SOL:-0%:30m{TIME}", "-0%", "changes nothing; give a fall or a rise"),
        (
            f"SOL:-60%:30x{TIME}",
            "30x",
            'is not a duration; write a whole number and a unit (s, m, h, d), such as "15m", or gap for at once',
        ),
        (f"SOL:-60%:0s{TIME}", "0s", "is no time at all; give a duration such as 30m, or gap for at once"),
        (f"SOL:-60%:30m:6h{TIME}", "6h", "is unknown; write recover=6h or recover=50%/6h"),
        (
            f"SOL:-60%:30m:recover={TIME}",
            "",
            'is not a duration; write a whole number and a unit (s, m, h, d), such as "15m"',
        ),
        (
            f"SOL:-60%:30m:recover=150%/6h{TIME}",
            "150%",
            "is no share of the change; write more than 0% and at most 100%, such as recover=50%/6h",
        ),
        (
            f"SOL:-60%:30m:recover=half/6h{TIME}",
            "half",
            "is no share of the change; write more than 0% and at most 100%, such as recover=50%/6h",
        ),
        (f"SOL:-60%:30m:recover=0h{TIME}", "0h", "is no time at all; give a duration such as 30m"),
    ],
)
def test_faults(text: str, part: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    quoted = f'"{part}"' if "not a duration" in problem else repr(part)
    assert str(caught.value) == f"--shock {text}: {quoted} {problem}"


def test_unknown_symbol() -> None:
    with pytest.raises(UsageError) as caught:
        resolve(parse(f"SLO:-1%:gap{TIME}"), ["SOL", "BTC"], ["USDC"])
    assert str(caught.value) == f"--shock SLO:-1%:gap{TIME}: 'SLO' is not among the symbols; did you mean 'SOL'?"
