"""The shipped protocols: every number with its origin, the figures of the venue, and `perpool protocols`."""

import json

import pytest
from click.testing import CliRunner

from backtest.cli import perpool
from backtest.cli.protocols import protocols
from backtest.errors import UsageError
from backtest.protocols import known_protocols, load_protocol
from backtest.provenance import Origin, matches, provenance, unstated
from backtest.resolve import resolve

SHIPPED = sorted(known_protocols())


@pytest.mark.parametrize("name", SHIPPED)
def test_every_value_has_exactly_one_origin(name: str) -> None:
    protocol = load_protocol(name)
    assert unstated(protocol) == []
    for path in provenance(protocol):
        patterns = [key for key in (*protocol.sources, *protocol.assumptions) if matches(key, path)]
        assert len(patterns) == 1, path


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_protocols_are_named_after_their_file_dated_and_resolve(name: str) -> None:
    protocol = load_protocol(name)
    assert protocol.name == name
    assert protocol.title
    assert protocol.description
    assert protocol.as_of
    found = resolve(protocol)
    assert len(found.custody_params) == len(found.names.custodies)
    assert max(row["price_symbol"] for row in found.custody_params + found.market_params) < len(found.symbols)


def test_launch_vintage_has_the_documented_numbers() -> None:
    found = resolve(load_protocol("adrena-alp-2024"))
    assert found.names.custodies == ("USDC", "jitoSOL", "WBTC", "BONK")
    assert found.names.custody_decimals == (6, 9, 8, 5)
    assert found.symbols == ("USDC", "jitoSOL", "WBTC", "BONK", "SOL", "BTC")
    assert {row["borrow_max"] for row in found.custody_params} == {80_000}
    assert [row["conf_bps"] for row in found.custody_params] == [0, 25, 25, 25]
    assert {row["close_bps"] for row in found.market_params} == {16}
    assert {row["max_leverage_bps"] for row in found.market_params} == {3_000_000}
    assert [row["max_cumulative_short_usd"] for row in found.market_params] == [10**12, 10**12, 25 * 10**10]
    assert found.pool_params["aum_cap_usd"] == 10**13
    assert found.pool_params["min_age_s"] == 20


def test_2026_vintage_has_two_slopes_and_funding() -> None:
    found = resolve(load_protocol("adrena-alp"))
    assert (found.pool_params["borrow"], found.pool_params["funding"], found.pool_params["leftover"]) == (1, 1, 1)
    assert [row["close_bps"] for row in found.market_params] == [10, 10, 18]
    assert [row["borrow_max"] for row in found.custody_params] == [91_895, 91_895, 91_895, 172_032]
    assert found.pool_params["lp_share_bps"] == 7_500
    assert [found.pool_params[f"tier{n}_bps"] for n in (1, 2, 3)] == [150_000, 30_000, 15_000]
    assert found.pool_params["close_fee"] == 0


def test_an_origin_carries_value_and_text() -> None:
    found = provenance(load_protocol("adrena-alp"))
    assert found["market.BONK.close_bps"] == Origin("market.BONK.close_bps", 18, "source", "documentation, 2026")
    assert found["pool.aum_cap_usd"].kind == "assumption"


def run(*arguments: str) -> str:
    result = CliRunner().invoke(perpool, ["protocols", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_list_names_every_shipped_protocol() -> None:
    assert [row["name"] for row in json.loads(run("list", "--json"))] == [path for path in known_protocols()]
    assert all(name in run("list") for name in SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_show_prints_mechanisms_numbers_and_sources(name: str) -> None:
    text = run("show", name)
    for word in ("mechanisms", "two_slope" if name == "adrena-alp" else "linear", "max_borrow_per_hour", "assumed: "):
        assert word in text
    assert "no source stated" not in text
    assert "e-0" not in text  # rates are written out
    shown = json.loads(run("show", name, "--json"))
    assert shown["name"] == name
    assert {item["kind"] for item in shown["provenance"]} == {"source", "assumption"}


def test_show_marks_overrides() -> None:
    assert "override: was 16" in run("show", "adrena-alp-2024", "--set", "market.*.close_bps=20")


def test_show_of_an_unknown_name_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no protocol is called 'adrena'"):
        run("show", "adrena")


@pytest.mark.parametrize("command", list(protocols.commands.values()), ids=str)
def test_the_examples_of_the_help_run(command: object) -> None:
    import shlex

    lines = [line.strip() for line in str(command.help).splitlines() if line.strip().startswith("perpool ")]  # type: ignore[attr-defined]
    assert lines
    for line in lines:
        assert run(*shlex.split(line)[2:])
