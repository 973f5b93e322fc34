"""Dated changes: what is in force when, in which order files and overrides win, and what is refused."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from backtest.changes import Edit, moment_us
from backtest.config import Change, Protocol
from backtest.errors import UsageError
from backtest.protocols import load_protocol, pin
from backtest.provenance import provenance
from backtest.stages import Stage, stages
from tests.protocol_files import SMALL, write

NOTICE = 'source = "a notice"\n'
CHANGES = f"""
[[change]]
date = 2025-01-10
{NOTICE}[change.set]
"market.SOL.close_bps" = 20
"custody.*.max_borrow_per_hour" = 0.0002

[[change]]
date = 2025-02-01T12:00:00Z
assumption = "read off a chart"
[change.set]
"market.SOL.close_bps" = 30
mechanisms.leftover = "pool"

[[change]]
date = "2025-02-01 12:00"
{NOTICE}[change.set]
"pool.min_age_s" = 9

[[change]]
date = 2025-03-01
{NOTICE}[change.set]
"market.SOL.close_bps" = 10
"""


def us(*day: int) -> int:
    return int(datetime(*day, tzinfo=UTC).timestamp()) * 10**6  # type: ignore[misc, arg-type]


def load(folder: Path, changes: str = CHANGES, *sets: str, text: str = SMALL) -> Protocol:
    return load_protocol(write(folder, text + changes), sets)


def closes(found: list[Stage]) -> list[tuple[int, int, int]]:
    return [(stage.number, stage.at_us, stage.resolved.market_params[0]["close_bps"]) for stage in found]


def test_stages_start_with_what_is_in_force_and_follow_the_dates(tmp_path: Path) -> None:
    protocol = load(tmp_path)
    found = stages(protocol, us(2025, 1, 1), us(2025, 2, 20))
    assert closes(found) == [(0, us(2025, 1, 1), 16), (1, us(2025, 1, 10), 20), (2, us(2025, 2, 1, 12), 30)]
    assert found[0].changes == ()
    assert found[1].changes == (
        Edit("market.SOL.close_bps", 16, 20),
        Edit("custody.USDC.max_borrow_per_hour", 0.00008, 0.0002),
        Edit("custody.jitoSOL.max_borrow_per_hour", 0.0001, 0.0002),
    )
    assert [row["borrow_max"] for row in found[1].resolved.custody_params] == [200_000, 200_000]
    assert found[2].changes == (
        Edit("market.SOL.close_bps", 20, 30),
        Edit("mechanisms.leftover", "trader", "pool"),
        Edit("pool.min_age_s", 0, 9),
    )
    assert (found[2].resolved.pool_params["leftover"], found[2].resolved.pool_params["min_age_s"]) == (1, 9)
    assert len(stages(protocol, us(2025, 1, 1))) == 4


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [
        ((2025, 1, 10), (2025, 1, 10), [20]),  # dated at the start: no stage of its own
        ((2025, 1, 9), (2025, 1, 10), [16, 20]),  # and at the end: the last tick may be there
        ((2025, 2, 1, 11), (2025, 2, 1, 11), [20]),
        ((2025, 2, 1, 12), (2025, 2, 28), [30]),
        ((2025, 6, 1), (2025, 7, 1), [10]),
        ((2024, 1, 1), (2024, 2, 1), [16]),
    ],
)
def test_a_span_holds_its_own_changes(
    tmp_path: Path, start: tuple[int, ...], end: tuple[int, ...], wanted: list[int]
) -> None:
    assert [close for _, _, close in closes(stages(load(tmp_path), us(*start), us(*end)))] == wanted


def test_the_protocol_of_the_first_stage_says_where_its_values_come_from(tmp_path: Path) -> None:
    first = stages(load(tmp_path), us(2025, 2, 2))[0].resolved.protocol
    origins = provenance(first)
    assert origins["market.SOL.close_bps"][2:] == ("assumption", "read off a chart (since 2025-02-01T12:00:00+00:00)")
    assert origins["custody.USDC.max_borrow_per_hour"][2:] == ("source", "a notice (since 2025-01-10)")
    assert origins["market.SOL.liquidation_bps"].kind == "unstated"
    assert [change.date for change in first.change] == ["2025-03-01"]


def test_pinned_rules_have_no_change_to_come(tmp_path: Path) -> None:
    pinned = pin(load(tmp_path), "2025-01-31")
    assert (pinned.market[0].close_bps, pinned.change, pinned.as_of) == (20, (), "2025-01-31")
    assert closes(stages(pinned, us(2025, 1, 1), us(2026, 1, 1))) == [(0, us(2025, 1, 1), 20)]
    assert pin(load(tmp_path), "2025-02-01").market[0].close_bps == 20  # midnight
    assert pin(load(tmp_path), "2025-02-01T12:00:00Z").market[0].close_bps == 30
    with pytest.raises(UsageError, match=r"'1\.2\.2025' is not a date; write 2022-01-05, or 2022-01-05T14:00:00Z"):
        pin(pinned, "1.2.2025")


def test_an_override_holds_throughout(tmp_path: Path) -> None:
    protocol = load(tmp_path, CHANGES, "market.*.close_bps=5", "custody.USDC.max_borrow_per_hour=0.0003")
    found = stages(protocol, us(2025, 1, 1))
    assert [close for _, _, close in closes(found)] == [5, 5, 5]  # the change of March changes nothing now
    assert [row["borrow_max"] for row in found[1].resolved.custody_params] == [300_000, 200_000]
    assert provenance(pin(protocol, "2025-02-02"))["market.SOL.close_bps"].kind == "override"


def test_a_change_to_the_value_in_force_is_no_stage(tmp_path: Path) -> None:
    same = f'[[change]]\ndate = 2025-01-10\n{NOTICE}[change.set]\n"market.SOL.close_bps" = 16\n'
    assert len(stages(load(tmp_path, same), us(2025, 1, 1))) == 1


def test_names_and_columns_are_those_of_every_stage(tmp_path: Path) -> None:
    found = stages(load_protocol("jupiter-2024"), us(2024, 1, 1))
    assert len({(stage.resolved.names, stage.resolved.symbols) for stage in found}) == 1
    assert [stage.number for stage in found] == list(range(7))
    assert all(stage.resolved.pool_params["sample_interval_us"] == 3_600_000_000 for stage in found)
    quick = stages(load_protocol("jupiter-2024"), us(2024, 1, 1), sample_interval_us=60_000_000)
    assert {stage.resolved.pool_params["sample_interval_us"] for stage in quick} == {60_000_000}


def test_a_protocol_with_changes_survives_json(tmp_path: Path) -> None:
    protocol = load(tmp_path)
    assert msgspec.json.decode(msgspec.json.encode(protocol), type=Protocol) == protocol


# --- extends ------------------------------------------------------------------------------------------------


def test_a_child_inherits_adds_and_overrules_changes(tmp_path: Path) -> None:
    load(tmp_path)
    child = f"""
    extends = "small.toml"
    name = "child"
    [pool]
    min_age_s = 60
    [[change]]
    date = 2025-01-20
    {NOTICE}
    [change.set]
    "market.SOL.close_bps" = 25
    [[change]]
    date = 2025-03-01
    {NOTICE}
    [change.set]
    "market.SOL.close_bps" = 11
    """
    protocol = load_protocol(write(tmp_path, child, "child.toml"))
    found = stages(protocol, us(2025, 1, 1))
    assert [close for _, _, close in closes(found)] == [16, 20, 25, 30, 11]  # its own comes last in March
    # what the child sets itself holds throughout
    assert {stage.resolved.pool_params["min_age_s"] for stage in found} == {60}
    assert protocol.change[0] == Change(
        date="2025-01-10",
        source="a notice",
        set={
            "market.SOL.close_bps": 20,
            "custody.USDC.max_borrow_per_hour": 0.0002,
            "custody.jitoSOL.max_borrow_per_hour": 0.0002,
        },
    )


def test_a_child_may_take_over_no_change(tmp_path: Path) -> None:
    load(tmp_path)
    child = write(tmp_path, 'extends = "small.toml"\nname = "child"\nchange = []\n', "child.toml")
    assert load_protocol(child).change == ()
    grandchild = write(tmp_path, 'extends = "child.toml"\nname = "grandchild"\n', "grandchild.toml")
    assert load_protocol(grandchild).change == ()


def test_native_dollars_back_shorts_under_the_same_dated_rules() -> None:
    base, later = load_protocol("gmx-v1"), load_protocol("gmx-v1-2024")
    assert base.change == later.change
    assert {row.short_custody for row in later.market} == {"USDC"}
    now = pin(later, "2024-06-01")
    assert [row.symbol for row in now.custody if row.symbol == row.price or row.price] == ["USDCe"]
    assert now.market[0].max_cumulative_long_usd == pin(base, "2024-06-01").market[0].max_cumulative_long_usd


# --- faults -------------------------------------------------------------------------------------------------

DAY = f"date = 2025-01-02\n{NOTICE}"
# (lines of one or more changes, message after "<file>: ")
FAULTS = [
    (f'date = "soon"\n{NOTICE}[change.set]\n"pool.min_age_s" = 1',
     'change[0].date = "soon" is not a date in UTC; write 2022-01-05, or 2022-01-05T14:00:00Z'),
    (f'date = 2025-01-02T00:00:00+01:00\n{NOTICE}[change.set]\n"pool.min_age_s" = 1',
     'change[0].date = "2025-01-02T00:00:00+01:00" is not a date in UTC; write 2022-01-05, or 2022-01-05T14:00:00Z'),
    (f'{DAY}[change.set]\n"pool.min_age_s" = 1\n'
     f'[[change]]\ndate = 2025-01-01\n{NOTICE}[change.set]\n"pool.min_age_s" = 2',
     "change 2025-01-01 stands after change 2025-01-02; sort the changes by date"),
    ('date = 2025-01-02\n[change.set]\n"pool.min_age_s" = 1',
     "change 2025-01-02: give either source or assumption, so that a reader knows who says so"),
    (f'{DAY}assumption = "x"\n[change.set]\n"pool.min_age_s" = 1',
     "change 2025-01-02: give either source or assumption, so that a reader knows who says so"),
    (f"{DAY}set = {{}}",
     'change 2025-01-02: set is empty; write [change.set] and lines such as "market.SOL.close_bps" = 10'),
    (DAY, "change[0].set is missing; add it: a table"),
    (f'{DAY}[change.set]\n"pool.min_age" = 1',
     "change 2025-01-02: pool.min_age: no such value; did you mean 'pool.min_age_s'?"),
    (f'{DAY}[change.set]\n"market.*.close" = 1', "change 2025-01-02: market.*.close: no such value; correct it"),
    (f'{DAY}[change.set]\n"market.SOL.symbol" = "x"',
     "change 2025-01-02: market.SOL.symbol: no such value; did you mean 'market.SOL.price'?"),
    (f'{DAY}[change.set]\n"pool.min_age_s" = -1',
     "change 2025-01-02: pool.min_age_s = -1 is not possible; give a whole number of seconds from 0 to 31,536,000"),
    (f'{DAY}[change.set]\n"mechanisms.borrow" = "kinked"',
     'change 2025-01-02: mechanisms.borrow = "kinked" is not possible; give one of "jump", "kink", "linear", '
     "\"stepwise\", \"two_slope\"; did you mean 'kink'?"),
    (f'{DAY}[change.set]\n"mechanisms.borrow" = "kink"',
     'change 2025-01-02: custody.USDC.base_borrow_per_hour is missing; mechanisms.borrow = "kink" reads it; add it: a '
     "number of the notional per hour (0.0001 is 0.01 %) from 0 to 1"),
    (f'{DAY}[change.set]\n"fees.lp_share_bps" = 8000',
     "change 2025-01-02: fees: lp_share_bps 8000 + lm_share_bps 2000 + protocol_share_bps 1000 = 11000, not 10000; "
     "the three share the whole fee"),
    (f'{DAY}sorce = "x"\n[change.set]\n"pool.min_age_s" = 1',
     "change[0].sorce is not a key that exists; did you mean 'source'?"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "message"), FAULTS)
def test_a_change_that_cannot_be_says_why(tmp_path: Path, lines: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, f"[[change]]\n{lines}\n")
    assert str(caught.value) == f"{tmp_path / 'small.toml'}: {message}"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("mechanisms.margin", '"pooled"'),
        ("mechanisms.valuation", '"guaranteed"'),
        ("mechanisms.trade_price", '"min_max"'),
        ("mechanisms.fee_booking", '"reserve"'),
        ("custody.USDC.decimals", "7"),
        ("custody.USDC.stable", "false"),
        ("custody.USDC.price", '"x"'),
        ("market.SOL.price", '"x"'),
        ("market.SOL.calendar", '"x"'),
        ("market.SOL.long_custody", '"USDC"'),
        ("market.*.short_custody", '""'),
        ("pool.ema_s", "5"),
    ],
)
def test_what_books_and_ticks_are_made_for_stays(tmp_path: Path, path: str, value: str) -> None:
    with pytest.raises(
        UsageError, match=r"cannot change within a run: books and ticks are made for it; write a second"
    ):
        load(tmp_path, f'[[change]]\n{DAY}[change.set]\n"{path}" = {value}\n')


def test_an_override_that_a_change_then_contradicts_is_refused_at_its_date(tmp_path: Path) -> None:
    tighter = f'[[change]]\n{DAY}[change.set]\n"market.SOL.max_leverage" = 150\n'
    assert len(stages(load(tmp_path, tighter), 0)) == 2
    with pytest.raises(
        UsageError, match=r"with overrides: change 2025-01-02: market\.SOL\.max_initial_leverage = 180x is"
    ):
        load(tmp_path, tighter, "market.SOL.max_initial_leverage=180")


def test_dates_are_utc_midnights_or_moments() -> None:
    assert moment_us("2022-01-05") == us(2022, 1, 5)
    assert moment_us("2022-01-05T14:30:00Z") == moment_us("2022-01-05 14:30") == us(2022, 1, 5, 14, 30)
    for text in ("2022-01-05T14:00:00+02:00", "5 January", "2022-02-30"):
        with pytest.raises(ValueError, match=r".+"):
            moment_us(text)
