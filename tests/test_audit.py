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
from tests import handmade
from tests.busy_case import busy_case
from tests.reference import run


def failed(path):
    return {check.name for check in audit.audit(path) if not check.passed}


def test_every_check_is_a_file_that_says_what_holds():
    files = {path.stem: path.read_text() for path in audit.SQL.glob("*.sql")}
    assert set(files) == {"prepare", *audit.CHECKS}
    assert all(text.startswith("-- ") for text in files.values())


def test_the_handmade_run_passes(tmp_path):
    checks = audit.audit(handmade.write(tmp_path / "run"))
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
    assert [line for line in audit.report(audit.audit(out)) if not line.startswith("ok")] == ["21 of 21 checks passed"]


def test_the_busy_case_has_every_kind_of_event():
    assert {event["kind"] for event in run(busy_case()).events} == set(range(len(codes.KINDS)))


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
    ("exit_payout", add("events", 8, "payout_usd")),
    ("owned_value", add("events", 9, "spread_usd")),
    ("quiet_events", both(add("events", 6, "drift_usd"), add("events", 6, "spread_usd", -1))),
    ("quiet_events", add("events", 6, "locked_units")),
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
]


@pytest.mark.parametrize(("name", "mutate"), MUTATIONS)
def test_every_check_notices_its_damage(tmp_path, name, mutate):
    tables = handmade.tables()
    mutate(tables)
    found = failed(handmade.write(tmp_path / "run", tables))
    assert name in found
    assert "result_hash" not in found


def test_every_check_has_a_mutation():
    assert {name for name, _ in MUTATIONS} == set(audit.CHECKS)


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
    assert good.stdout.endswith("21 of 21 checks passed\n")
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
