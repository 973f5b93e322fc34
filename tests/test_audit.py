"""The audit: it passes on consistent runs, and every check notices its kind of damage."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from backtest import audit, columns
from backtest.cli import perpool
from backtest.errors import PerpoolError
from kernels import codes
from tests import handmade, handmade_reserve
from tests.busy_case import busy_case
from tests.reference import run


def failed(path):
    return {check.name for check in audit.audit(path) if not check.passed}


def test_every_check_is_a_file_that_says_what_holds():
    files = {path.stem: path.read_text() for path in audit.SQL.glob("*.sql")}
    assert set(files) == {"prepare", *audit.CHECKS}
    assert all(text.startswith("-- ") for text in files.values())


@pytest.mark.parametrize("run", [handmade, handmade_reserve])
def test_the_handmade_runs_pass(tmp_path, run):
    checks = audit.audit(run.write(tmp_path / "run"))
    assert [check.name for check in checks] == [*audit.CHECKS, "result_hash"]
    assert all(check.passed and not check.rows for check in checks)


@pytest.mark.parametrize(
    ("seed", "settings"),
    [
        (7, {}),
        (
            8,
            {
                "leftover": codes.LEFTOVER_POOL,
                "close_fee": codes.CLOSE_FEE_AGE_TIERS,
                "tier1_s": 3_600,
                "tier1_bps": 20_000,
            },
        ),
        (9, {"funding": codes.FUNDING_IMBALANCE, "funding_in_aum": 1, "borrow": codes.BORROW_TWO_SLOPE}),
        (11, {"funding": codes.FUNDING_IMBALANCE, "leftover": codes.LEFTOVER_POOL}),
    ],
)
def test_what_the_reference_settles_passes(tmp_path, seed, settings):
    case = busy_case(seed, **settings)
    result = run(case)
    out = handmade.write_result(tmp_path / "run", case, result)
    assert [line for line in audit.report(audit.audit(out)) if not line.startswith("ok")] == ["26 of 26 checks passed"]


def test_the_busy_case_has_every_kind_of_event():
    assert {event["kind"] for event in run(busy_case()).events} >= set(range(codes.K_ACCRUE))


def add(table, row, field, amount=1):
    """A mutation: one number of one row is off."""

    def mutate(tables):
        tables[table][row][field] += amount

    return mutate


def both(*mutations):
    def mutate(tables):
        for mutation in mutations:
            mutation(tables)

    return mutate


def drop(table, row):
    return lambda tables: tables[table].pop(row)


def repeat(table, row):
    return lambda tables: tables[table].append(tables[table][row])


MUTATIONS = [
    ("event_order", add("events", 5, "seq", 100)),
    ("event_order", add("events", 6, "timestamp", -1)),
    ("event_order", add("events", 12, "timestamp")),
    ("token_flow", add("events", 3, "trader_in_units")),
    ("token_flow", both(add("events", 6, "trader_in_units", -1), add("events", 6, "trader_out_units", -1))),
    ("fee_split", add("events", 2, "lp_share_usd")),
    ("fee_reserve", both(add("events", 2, "reserved_fee_usd"), add("events", 2, "spread_usd"))),
    ("pooled_margin", both(add("events", 8, "margin_usd"), add("events", 8, "spread_usd", -1))),
    ("paid_in", add("events", 4, "collateral_usd")),
    ("exit_payout", add("events", 8, "payout_usd")),
    ("owned_value", add("events", 9, "spread_usd")),
    ("quiet_events", both(add("events", 6, "drift_usd"), add("events", 6, "spread_usd", -1))),
    ("quiet_events", add("events", 6, "locked_units")),
    ("quiet_events", add("events", 6, "change", 2)),
    ("custody_books", add("pool", 2, "owned_units")),
    ("custody_books", add("pool", 3, "collateral_units")),
    ("custody_books", drop("pool", 5)),
    ("custody_books", both(add("events", 3, "owned_units"), add("events", 3, "collateral_units", -1))),
    ("solvency", add("pool", 3, "locked_units", 200_000 * handmade.USD)),
    ("asset_values", add("pool", 4, "value_usd")),
    ("asset_values", add("lp", 1, "assets_usd")),
    ("lp_supply", add("lp", 1, "lp_supply")),
    ("lp_supply", add("lp", 2, "lp_price")),
    ("lp_supply", add("events", 2, "lp_units")),
    ("lp_accounts", add("events", 11, "lp_account")),
    ("fee_debt", add("lp", 1, "fees_debt_usd")),
    ("fee_debt", both(add("events", 12, "debt_paid_usd"), add("events", 12, "owned_value_usd", -1))),
    ("positions", add("positions", 0, "pnl_usd")),
    ("positions", add("positions", 1, "closed_at")),
    ("positions", add("positions", 2, "max_locked_units")),
    ("positions", drop("positions", 1)),
    ("positions", repeat("positions", 1)),
    ("position_lives", add("events", 10, "position_no", -2)),
    ("position_lives", add("events", 5, "side", -1)),
    ("position_lives", add("events", 8, "size_usd", 1)),
    ("open_locks", add("pool", 4, "locked_units")),
    ("open_locks", add("events", 10, "locked_units")),
    ("open_interest", add("markets", 1, "long_oi_usd")),
    ("open_interest", add("markets", 1, "short_positions")),
    ("open_interest", add("markets", 2, "long_locked_units")),
    ("open_interest", add("positions", 2, "size_usd")),
    ("unrealised", add("markets", 1, "long_pnl_usd")),
    ("orders", add("rejections", 0, "order_id", -1)),
    ("orders", repeat("rejections", 0)),
    ("orders", drop("rejections", 0)),
    ("orders", add("events", 8, "order_id", -1)),
    ("attribution_sum", add("lp", 1, "rounding_usd")),
    ("attribution_sources", both(add("lp", 1, "exit_fee_usd"), add("lp", 1, "lp_fee_usd", -1))),
    ("attribution_sources", both(add("lp", 2, "asset_drift_usd"), add("lp", 2, "rounding_usd", -1))),
    ("rounding", both(add("lp", 2, "aum_usd", 5), add("lp", 2, "rounding_usd", 5))),
]
# The same for what only a venue with a reserve, pooled margin, rewards of liquidators and changes has.
RESERVE_MUTATIONS = [
    ("token_flow", add("events", 9, "fee_units")),
    ("token_flow", add("events", 8, "stranded_units")),
    ("fee_split", add("events", 3, "open_fee_usd")),
    ("fee_split", both(add("events", 3, "open_fee_usd"), add("events", 3, "spread_usd", -1))),
    ("fee_reserve", both(add("events", 3, "reserved_fee_usd"), add("events", 3, "spread_usd"))),
    ("fee_reserve", both(add("events", 10, "reserved_fee_usd"), add("events", 10, "spread_usd"))),
    ("fee_reserve", both(add("events", 4, "fee_units", -6_000_000), add("events", 4, "trader_in_units", -6_000_000))),
    ("pooled_margin", both(add("events", 5, "margin_usd"), add("events", 5, "spread_usd", -1))),
    ("pooled_margin", both(add("events", 4, "margin_usd"), add("events", 4, "spread_usd", -1))),
    ("pooled_margin", both(add("events", 3, "collateral_units"), add("events", 3, "trader_in_units"))),
    ("paid_in", both(add("events", 5, "funding_usd"), add("events", 5, "spread_usd", -1))),
    ("paid_in", both(add("events", 3, "trader_in_units", 10), add("events", 3, "stranded_units", 10))),
    ("guaranteed_longs", add("markets", 1, "long_pnl_usd", 3)),
    ("guaranteed_longs", both(add("markets", 2, "long_pnl_usd", -3), add("markets", 2, "short_pnl_usd", 3))),
    ("exit_payout", both(add("events", 9, "confiscated_usd"), add("events", 9, "spread_usd", -1))),
    ("owned_value", add("events", 9, "liquidator_usd")),
    ("owned_value", add("events", 3, "margin_usd")),
    ("owned_value", add("events", 4, "reserved_fee_usd")),
    ("quiet_events", both(add("events", 6, "margin_usd"), add("events", 6, "spread_usd", -1))),
    ("quiet_events", both(add("events", 6, "fee_units"), add("events", 6, "stranded_units", -1))),
    ("quiet_events", add("events", 7, "change")),
    ("quiet_events", add("events", 7, "change", -2)),
    ("custody_books", add("pool", 3, "fee_units")),
    ("custody_books", add("pool", 4, "stranded_units")),
    ("solvency", add("pool", 5, "fee_units", -1)),
    ("solvency", add("pool", 1, "dollars_usd", -1)),
    ("solvency", add("pool", 5, "stranded_units", -211_058 * handmade.USD - 1)),
    ("asset_values", add("pool", 5, "low_price", -1)),
    ("asset_values", add("pool", 3, "low_price", 1)),
    ("fee_debt", add("lp", 1, "fees_debt_usd")),
    ("positions", add("positions", 1, "open_fee_usd")),
    ("positions", add("positions", 0, "confiscated_usd")),
    ("positions", add("positions", 1, "deposited_usd", -14 * handmade.USD)),
    ("orders", add("events", 10, "order_id", 1)),
    ("attribution_sum", add("lp", 2, "open_fee_usd")),
    ("attribution_sum", add("lp", 2, "liquidator_usd")),
    ("attribution_sources", both(add("lp", 2, "open_fee_usd"), add("lp", 2, "exit_fee_usd", -1))),
    ("attribution_sources", both(add("lp", 2, "liquidator_usd"), add("lp", 2, "spread_usd"))),
    ("attribution_sources", add("lp", 1, "margin_usd")),
    ("attribution_sources", both(add("lp", 1, "to_others_usd"), add("lp", 1, "rounding_usd"))),
]


@pytest.mark.parametrize(("name", "mutate"), MUTATIONS)
def test_every_check_notices_its_damage(tmp_path, name, mutate):
    tables = handmade.tables()
    mutate(tables)
    found = failed(handmade.write(tmp_path / "run", tables))
    assert name in found
    assert "result_hash" not in found


@pytest.mark.parametrize(("name", "mutate"), RESERVE_MUTATIONS)
def test_every_check_notices_its_damage_to_a_reserve(tmp_path, name, mutate):
    tables = handmade_reserve.tables()
    mutate(tables)
    found = failed(handmade_reserve.write(tmp_path / "run", tables))
    assert name in found
    assert "result_hash" not in found


def test_values_are_checked_by_the_band_in_force(tmp_path):
    """The second stage floors the stable at a dollar; without that, or from the start, its band is 100 bps wide."""
    [change] = handmade_reserve.MANIFEST["changes"]
    unfloored = change["protocol"] | {"custody": [row | {"peg": "none"} for row in change["protocol"]["custody"]]}
    manifest = handmade_reserve.MANIFEST | {"changes": [change | {"protocol": unfloored}]}
    assert failed(handmade_reserve.write(tmp_path / "later", manifest=manifest)) == {"asset_values"}
    manifest = handmade_reserve.MANIFEST | {"protocol": unfloored}
    assert failed(handmade_reserve.write(tmp_path / "before", manifest=manifest)) == {"asset_values", "paid_in"}


def test_where_trades_go_by_a_band_the_low_price_is_within_it(tmp_path):
    rules = handmade.MANIFEST["protocol"] | {"mechanisms": {"trade_price": "min_max"}}
    manifest = handmade.MANIFEST | {"protocol": rules}
    tables = handmade.tables()
    add("pool", 0, "low_price", handmade.PRICE)(tables)
    assert failed(handmade.write(tmp_path / "high", tables, manifest)) == {"asset_values"}
    tables = handmade.tables()
    add("pool", 0, "low_price", -handmade.PRICE)(tables)
    found = [c for c in audit.audit(handmade.write(tmp_path / "low", tables, manifest)) if not c.passed]
    assert [c.name for c in found] == ["asset_values"]  # 100 ETH at 1,999 are not 200,000
    assert [str(row["expected_usd"]) for row in found[0].rows] == ["199900.000000"]


@pytest.mark.parametrize("rule", ["debt", "protocol_reserve"])
def test_another_rule_of_booking_wants_other_reserves(tmp_path, rule):
    rules = handmade_reserve.MANIFEST["protocol"] | {"mechanisms": {"margin": "pooled", "fee_booking": rule}}
    manifest = handmade_reserve.MANIFEST | {"protocol": rules, "changes": handmade_reserve.MANIFEST["changes"]}
    assert "fee_reserve" in failed(handmade_reserve.write(tmp_path / "run", manifest=manifest))


def test_every_check_has_a_mutation():
    assert {name for name, _ in [*MUTATIONS, *RESERVE_MUTATIONS]} == set(audit.CHECKS)


def test_the_manifest_must_count_the_orders(tmp_path):
    manifest = handmade.MANIFEST | {"counts": {"orders_total": 13}}
    assert failed(handmade.write(tmp_path / "run", manifest=manifest)) == {"orders"}


def test_a_file_changed_later_is_noticed(tmp_path):
    out = handmade.write(tmp_path / "run")
    file = out / "rejections.parquet"
    data = pq.read_table(file)
    names = pa.array(["max_leverage", "not_due", "not_due"]).dictionary_encode()
    pq.write_table(
        data.set_column(4, columns.schema("rejections").field("reason"), names.cast(data["reason"].type)), file
    )
    [check] = [check for check in audit.audit(out) if not check.passed]
    assert check.name == "result_hash"
    assert [row["table"] for row in check.rows] == ["rejections"]


def test_a_file_written_again_with_the_same_rows_is_the_same_run(tmp_path):
    out = handmade.write(tmp_path / "run")
    for table in columns.TABLES:
        pq.write_table(pq.read_table(out / f"{table}.parquet"), out / f"{table}.parquet", compression="snappy")
    assert failed(out) == set()


def test_a_changed_manifest_is_noticed(tmp_path):
    out = handmade.write(tmp_path / "run")
    manifest = json.loads((out / "manifest.json").read_text())
    (out / "manifest.json").write_text(json.dumps(manifest | {"result_hash": "0" * 64}))
    assert failed(out) == {"result_hash"}


def test_offending_rows_are_shown_and_counted(tmp_path):
    tables = handmade.tables()
    for row in tables["events"]:
        row["spread_usd"] += 1
    [check] = [c for c in audit.audit(handmade.write(tmp_path / "run", tables)) if c.name == "owned_value"]
    assert check.detail.endswith("not so in 13 rows")
    assert [row["seq"] for row in check.rows] == [0, 1, 2, 3, 4]


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(PerpoolError, match="not a run directory"):
        audit.audit(tmp_path)


def test_the_command_exits_with_one_when_a_check_fails(tmp_path):
    good = CliRunner().invoke(perpool, ["audit", str(handmade.write(tmp_path / "good"))])
    assert good.exit_code == 0
    assert good.stdout.endswith("26 of 26 checks passed\n")
    tables = handmade.tables()
    add("lp", 1, "rounding_usd")(tables)
    out = str(handmade.write(tmp_path / "bad", tables))
    bad = CliRunner().invoke(perpool, ["audit", out])
    assert bad.exit_code == 1
    assert "FAIL attribution_sum" in bad.stdout
    assert "explained_usd=431122.700000" in bad.stdout
    found = json.loads(CliRunner().invoke(perpool, ["audit", out, "--json"]).stdout)
    assert {check["name"] for check in found if not check["passed"]} == {"attribution_sum", "attribution_sources"}
    assert "Example:" in CliRunner().invoke(perpool, ["audit", "--help"]).stdout
