"""The shipped protocols: every number with its origin, the figures of the venue, and `perpool protocols`."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from backtest.calendars import closed
from backtest.cli import perpool
from backtest.cli.protocols import protocols
from backtest.errors import UsageError
from backtest.mechanisms import FAMILIES
from backtest.protocols import known_protocols, load_protocol, pin
from backtest.provenance import Origin, matches, provenance, unstated
from backtest.resolve import resolve
from kernels import codes
from tests.protocol_files import write

SHIPPED = sorted(known_protocols())


@pytest.mark.parametrize("name", SHIPPED)
def test_every_value_has_exactly_one_origin(name: str) -> None:
    protocol = load_protocol(name)
    assert unstated(protocol) == []
    for path, origin in provenance(protocol).items():
        if origin.kind == "default":
            continue
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


def test_limits_rise_at_their_dates() -> None:
    """Front-end constants of 2024, and the fees of the documentation of 2025."""
    positions = {"2024-10-14": 100_000, "2024-10-15": 500_000, "2024-12-08": 4_000_000}
    for date, wanted in positions.items():
        found = resolve(pin(load_protocol("adrena-alp-2024"), date))
        assert {row["max_position_locked_usd"] for row in found.custody_params[:3]} == {wanted * 10**6}
    targets = [row.ratio_target_bps for row in pin(load_protocol("adrena-alp-2024"), "2024-11-02").custody]
    assert targets == [1_500, 5_400, 2_400, 700]
    last = resolve(pin(load_protocol("adrena-alp-2024"), "2025-02-01"))
    assert last.pool_params["aum_cap_usd"] == 30_000_000 * 10**6
    assert {row["close_bps"] for row in last.market_params} == {14}


def test_2026_vintage_has_two_slopes_and_funding() -> None:
    found = resolve(load_protocol("adrena-alp"))
    assert (found.pool_params["borrow"], found.pool_params["funding"], found.pool_params["leftover"]) == (1, 1, 1)
    assert [row["close_bps"] for row in found.market_params] == [10, 10, 18]
    assert [row["borrow_max"] for row in found.custody_params] == [91_895, 91_895, 91_895, 172_032]
    assert found.pool_params["lp_share_bps"] == 7_500
    assert [found.pool_params[f"tier{n}_bps"] for n in (1, 2, 3)] == [150_000, 30_000, 15_000]
    assert found.pool_params["close_fee"] == 0


def test_commodities_are_capped_on_both_sides_and_closed_at_weekends() -> None:
    protocol = load_protocol("adrena-rwalp")
    found = resolve(protocol)
    assert found.names.markets == ("XAU", "XAG", "WTI")
    assert found.names.custodies == ("USDC",)
    assert {(row["long_custody"], row["short_custody"]) for row in found.market_params} == {(0, 0)}
    caps = {(row["max_cumulative_long_usd"], row["max_cumulative_short_usd"]) for row in found.market_params}
    assert caps == {(500_000 * 10**6, 500_000 * 10**6)}
    assert {row["close_bps"] for row in found.market_params} == {10}
    assert found.pool_params["lp_share_bps"] == 5_000
    saturday, tuesday = (int(datetime(2026, 5, day, 12, tzinfo=UTC).timestamp() * 1e6) for day in (9, 12))
    assert closed(protocol.calendar["commodities"], np.array([saturday, tuesday])).tolist() == [True, False]


def test_glp_ends_with_the_published_weights_caps_and_buffers() -> None:
    """Weights of 8 January 2024, caps and buffers of 2025, minting stopped in July 2025 (gmx-contracts, tokens.js)."""
    found = resolve(pin(load_protocol("gmx-v1"), "2025-07-16"))
    weights = dict(zip(found.names.custodies, (row["weight"] for row in found.custody_params), strict=True))
    assert weights == {
        "BTC": 21_000, "ETH": 25_000, "USDCe": 8_500, "LINK": 1_000, "UNI": 1_000, "USDT": 5_000, "MIM": 1,
        "FRAX": 2_000, "DAI": 3_000, "USDC": 33_500,
    }  # fmt: skip
    caps = [
        (row["max_cumulative_long_usd"] // 10**6, row["max_cumulative_short_usd"] // 10**6)
        for row in found.market_params
    ]
    assert caps == [(36_000_000, 20_000_000), (88_000_000, 40_000_000), (500_000, 500_000), (500_000, 500_000)]
    assert [row["buffer_units"] for row in found.custody_params[:2]] == [80 * 10**8, 2_000 * 10**9]
    assert {row["max_dollars_usd"] for row in found.custody_params} == {10**6}
    pool = found.pool_params
    assert (pool["tax_bps"], pool["mint_bps"], pool["swap_bps"], pool["stable_swap_bps"]) == (60, 25, 25, 1)
    assert (pool["lp_share_bps"], pool["lp_share_joins"]) == (7_000, 0)


@pytest.mark.parametrize(
    ("date", "fees"),
    [
        ("2021-09-22", (10, 20, 20, 10, 1, 86_400)),
        ("2022-01-05", (30, 20, 20, 10, 5, 43_200)),
        ("2022-02-15", (50, 25, 25, 10, 5, 21_600)),
        ("2022-02-17", (50, 25, 25, 8, 5, 10_800)),
        ("2022-02-18", (50, 25, 25, 10, 5, 10_800)),
        ("2022-05-13", (50, 25, 50, 10, 5, 10_800)),
        ("2022-05-14", (50, 25, 30, 10, 5, 10_800)),
        ("2023-03-22", (60, 25, 25, 10, 5, 10_800)),
    ],
)
def test_glp_fees_are_those_of_their_date(date: str, fees: tuple[int, ...]) -> None:
    """Tax, mint, swap and margin fees, liquidation fee in dollars, window of the profit rule (gmx, setFees.js)."""
    found = resolve(pin(load_protocol("gmx-v1"), date))
    pool, market = found.pool_params, found.market_params[0]
    assert market["open_bps"] == market["close_bps"]
    assert fees == (
        pool["tax_bps"], pool["mint_bps"], pool["swap_bps"], market["close_bps"],
        market["liquidation_fee_usd"] // 10**6, pool["min_profit_s"],
    )  # fmt: skip


def test_glp_weights_of_some_dates_sum_to_the_documented_shares() -> None:
    shares = {
        "2022-06-04": {
            "BTC": 27,
            "ETH": 28,
            "USDCe": 32,
            "LINK": 1,
            "UNI": 1,
            "USDT": 3,
            "MIM": 1,
            "FRAX": 2,
            "DAI": 5,
        },
        "2022-11-14": {"BTC": 10, "ETH": 40, "USDCe": 39},
        "2023-05-10": {"BTC": 25, "ETH": 30, "USDCe": 34},
    }
    for date, wanted in shares.items():
        found = {row.symbol: row.weight for row in pin(load_protocol("gmx-v1"), date).custody}
        assert {symbol: found[symbol] for symbol in wanted} == {
            symbol: 1_000 * share for symbol, share in wanted.items()
        }


def test_jlp_changes_its_fees_and_its_curve() -> None:
    start = resolve(load_protocol("jupiter-2024"))
    assert (start.pool_params["open_fee"], start.pool_params["borrow"]) == (codes.OPEN_FEE_FLAT, codes.BORROW_LINEAR)
    assert {row["open_bps"] for row in start.market_params} == {10}
    last = resolve(pin(load_protocol("jupiter-2024"), "2025-05-31"))
    assert (last.pool_params["open_fee"], last.pool_params["borrow"]) == (codes.OPEN_FEE_IMPACT, codes.BORROW_JUMP)
    assert {row["open_bps"] for row in last.market_params} == {6}
    assert [row["borrow_max"] for row in last.custody_params] == [20_000, 9_000, 8_000, 2_600, 2_600]
    later = resolve(load_protocol("jupiter"))
    scalars = dict(zip(later.names.markets, (row["impact_scalar_usd"] for row in later.market_params), strict=True))
    assert scalars == {"SOL": 125 * 10**13, "ETH": 5 * 10**15, "BTC": 8 * 10**15}
    assert {row["impact_threshold_usd"] for row in later.market_params} == {750_000 * 10**6}
    assert (later.pool_params["distribution_interval_s"], later.pool_params["lp_share_joins"]) == (3_600, 1)


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
    protocol = load_protocol(name)
    text = run("show", name)
    for word in ("mechanisms", protocol.mechanisms.borrow, "optimal_utilisation_bps", "lp_share_bps"):
        assert word in text
    assert all(change.date[:10] in text for change in protocol.change)
    assert "no source stated" not in text
    assert "e-0" not in text  # rates are written out
    shown = json.loads(run("show", name, "--json"))
    assert shown["name"] == name
    assert {"source", "assumption"} <= {item["kind"] for item in shown["provenance"]}
    assert {item["kind"] for item in shown["provenance"]} <= {"source", "assumption", "default"}


def test_show_at_a_date_has_the_values_and_sources_of_then() -> None:
    text = run("show", "gmx-v1", "--at", "2022-01-10")
    line = next(line for line in text.splitlines() if line.startswith(" tax_bps"))
    assert line.split()[1] == "30"
    assert line.endswith("(since 2022-01-05)")
    assert "As of 2022-01-10." in text
    assert "2022-01-12" not in text  # no change to come
    with pytest.raises(UsageError, match="'May' is not a date; write 2022-01-05, or 2022-01-05T14:00:00Z"):
        run("show", "gmx-v1", "--at", "May")


def test_show_spells_out_changes_of_tiers_and_flags(tmp_path: Path) -> None:
    lines = """
    extends = "adrena-alp"
    name = "mine"
    [[change]]
    date = 2026-07-01
    assumption = "a guess"
    [change.set]
    "fees.close_fee_tiers" = [{ until_s = 60, multiplier = 2 }]
    "pool.funding_in_aum" = false
    "market.BONK.max_position_usd" = 250_000.5
    """
    text = run("show", str(write(tmp_path, lines)))
    for words in ("2x until 60 s", "15x until 420 s", "yes", "no", "250,000.5", "assumed: a guess", "2026-07-01"):
        assert words in text


def test_show_says_which_values_nothing_reads() -> None:
    text = run(
        "show",
        "adrena-alp-2024",
        "--set",
        "market.BTC.impact_max_bps=3",
        "--set",
        "custody.*.optimal_utilisation_bps=9000",
    )
    assert "3 (not read)" in text
    assert "9,000 (not read)" in text  # the curve is linear


def test_mechanisms_prints_the_catalogue() -> None:
    everything = json.loads(run("mechanisms", "--json"))
    assert [entry["family"] for entry in everything] == list(FAMILIES)
    text = run("mechanisms")
    assert all(f"\n {name} " in text for entry in everything for name in entry["variants"])
    assert json.loads(run("mechanisms", "swap", "--json")) == [everything[-1]]
    with pytest.raises(UsageError, match="no mechanism is called 'borow'; did you mean 'borrow'"):
        run("mechanisms", "borow")


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
