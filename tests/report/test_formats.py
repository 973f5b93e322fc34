"""How values are written."""

from datetime import UTC, date, datetime
from decimal import Decimal as D

import pytest

from backtest.report.formats import show, told

AT = datetime(2025, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("usd", D("1234567.891"), "$1,234,568"),
        ("usd", D("-0.4"), "$0"),  # what rounds to zero has no sign
        ("gain_usd", D("-1234.5"), "−$1,234"),
        ("gain_usd", D("1235"), "+$1,235"),
        ("gain_usd", D(0), "$0"),
        ("gain_usd", D("0.3"), "$0"),
        ("cents", D("-3.456"), "−$3.46"),
        ("exact_usd", D("0.000001"), "$0.000001"),
        ("price", D("1.1738972345"), "$1.173897"),
        ("percent", -0.12345, "−12.35%"),
        ("gain_percent", 0.5, "+50.00%"),
        ("gain_points", -0.0385, "−3.85 points"),
        ("share", 0.854, "85.4%"),
        ("bps", 5.8049, "5.80 bps"),
        ("count", 1234567, "1,234,567"),
        ("gain_count", D(-3), "−3"),
        ("days", 89.99, "90"),
        ("days", 1.5, "1.5"),
        ("tokens", 32_592_000_000.7, "32,592,000,001"),
        ("tokens", 0.123456, "0.1235"),
        ("moment", AT, "2025-02-03 04:05"),
        ("day", date(2025, 2, 3), "3 February 2025"),
        ("percent", None, "–"),
        ("percent", float("nan"), "–"),
        ("text", "a<b", "a<b"),
    ],
)
def test_show(kind, value, text):
    assert show(kind, value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        ("", "–"),
        (True, "true"),
        (9.0, "9"),
        (9.1895e-05, "9.1895e-05"),
        (30_000_000.0, "30,000,000"),
        (["a", "b"], "a, b"),
        ([{"until_s": 420}], '[{"until_s": 420}]'),
        ("x" * 61, "x" * 59 + "…"),
    ],
)
def test_values_of_a_configuration(value, text):
    assert told(value) == text
