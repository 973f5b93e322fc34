"""What must hold of every run, whoever computed it: checks over a case and its result, exact to the unit."""

from collections import Counter, defaultdict

from kernels import codes
from tests.case import Case, Result

Row = dict[str, int]
CLOSING = (codes.K_DECREASE, codes.K_CLOSE, codes.K_STOP_LOSS, codes.K_TAKE_PROFIT, codes.K_LIQUIDATION)
SUMMED = (
    "owned_value",
    "lp_flow",
    "exit_fee",
    "lp_fee",
    "funding",
    "pnl",
    "bad_debt",
    "confiscated",
    "spread",
    "drift",
    "debt_paid",
)
NO_MONEY = (codes.K_SET_TRIGGERS, codes.K_CANCEL_LIMIT)


def check_all(case: Case, result: Result) -> None:
    check_events(case, result)
    check_books(result)
    check_open_interest(result)
    check_positions(result)
    check_orders(case, result)
    check_samples(case, result)


def check_events(case: Case, result: Result) -> None:
    """Identities of each row: (A) owned value, (B) token flows, (C) fee shares, (D) payout of a closing."""
    times = [tick[0] for tick in case.ticks]
    assert [event["seq"] for event in result.events] == list(range(len(result.events)))
    assert [event["timestamp"] for event in result.events] == sorted(event["timestamp"] for event in result.events)
    for e in result.events:
        assert e["timestamp"] in times
        borrow = e["borrow_fee_usd"] + e["prepaid_borrow_usd"]
        fees = e["exit_fee_usd"] + borrow + e["funding_usd"]
        income = e["lp_flow_usd"] + e["lp_fee_usd"] - e["pnl_usd"] + fees - e["bad_debt_usd"] + e["confiscated_usd"]
        assert e["owned_value_usd"] == income + e["drift_usd"] + e["spread_usd"] - e["debt_paid_usd"], ("A", e)
        flows = e["trader_in_units"] - e["trader_out_units"] - e["fees_out_units"]
        assert flows == e["owned_units"] + e["collateral_units"], ("B", e)
        shares = e["lp_share_usd"] + e["protocol_share_usd"] + e["referrer_share_usd"]
        assert e["exit_fee_usd"] + e["borrow_fee_usd"] + e["lp_fee_usd"] == shares, ("C", e)
        if e["kind"] in CLOSING:
            payout = -e["collateral_usd"] + e["pnl_usd"] - fees + e["bad_debt_usd"] - e["confiscated_usd"]
            assert e["payout_usd"] == payout, ("D", e)
        for name in ("trader_in_units", "trader_out_units", "fees_out_units", "payout_usd", "bad_debt_usd"):
            assert e[name] >= 0, (name, e)
        if e["kind"] in NO_MONEY:
            assert not any(value for name, value in e.items() if name.endswith(("_usd", "_units", "price"))), e


def check_books(result: Result) -> None:
    """Books of the custodies are the sums of their events; supply, debts and sums of the pool likewise."""
    pool, total = result.pool, Counter[str]()
    for number, book in enumerate(result.custodies):
        rows = [event for event in result.events if event["custody"] == number]
        for name in ("owned", "collateral", "locked"):
            assert book[name] == sum(row[f"{name}_units"] for row in rows), (number, name)
            assert book[name] >= 0, (number, name)
        assert book["locked"] == sum(result.interest[number * 2 + side]["locked"] for side in (0, 1))
    for event in result.events:
        total.update({name: value for name, value in event.items() if name.endswith("_usd")})
    for name in SUMMED:
        assert pool[f"{name}_usd"] == total[f"{name}_usd"], name
    assert pool["borrow_fee_usd"] == total["borrow_fee_usd"] + total["prepaid_borrow_usd"]
    assert pool["to_others_usd"] == total["protocol_share_usd"] + total["referrer_share_usd"]
    assert pool["fees_debt_usd"] + pool["referrers_debt_usd"] == pool["to_others_usd"] - pool["debt_paid_usd"]
    assert pool["lp_supply"] == sum(event["lp_units"] for event in result.events) >= 0
    assert pool["volume_usd"] == sum(abs(event["size_usd"]) for event in result.events)
    kinds = Counter(event["kind"] for event in result.events)
    assert pool["n_open"] == kinds[codes.K_OPEN] + kinds[codes.K_LIMIT_OPEN] == pool["next_position_no"]
    assert pool["n_closed"] == sum(kinds[kind] for kind in (codes.K_CLOSE, codes.K_STOP_LOSS, codes.K_TAKE_PROFIT))
    assert pool["n_liquidated"] == kinds[codes.K_LIQUIDATION]


def check_open_interest(result: Result) -> None:
    """Collective positions are the sums of the open positions, to the unit; an emptied one is all zero."""
    where = {row["position_no"]: row for row in result.positions if row["outcome"] == codes.O_OPEN}
    rows = [row for row in result.book if row["status"] == codes.OPEN_POSITION]
    assert {row["position_no"] for row in rows} == set(where)
    sides: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    interest: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for row in rows:
        place = where[row["position_no"]]
        side = sides[place["market"], place["side"]]
        names = ["size_usd", "locked", "exit_fee_usd"] + ["collateral_usd"] * (place["side"] == codes.LONG)
        side.update({name: row[name] for name in names} | {"open_positions": 1})
        owed = interest[place["custody"], place["side"]]
        owed.update({"open_positions": 1, "borrow_size_usd": row["borrow_size_usd"], "locked": row["locked"]})
    for books, sums in ((result.sides, sides), (result.interest, interest)):
        for number, book in enumerate(books):
            if book["open_positions"] == 0:
                assert not any(book.values()), book
            for name, value in sums[number // 2, number % 2].items():
                assert book[name] == value, (number, name)


def check_positions(result: Result) -> None:
    """Every opening is one row, whose money is the sum of its events."""
    rows = {row["position_no"]: row for row in result.positions}
    assert sorted(rows) == list(range(result.pool["next_position_no"])) and len(rows) == len(result.positions)
    history: dict[int, list[Row]] = defaultdict(list)
    for event in result.events:
        if event["position_no"] >= 0:
            history[event["position_no"]].append(event)
    for number, row in rows.items():
        events = history[number]
        assert row["position_id"] == events[0]["position_id"] and row["opened_at"] == events[0]["timestamp"]
        for name in ("payout_usd", "pnl_usd", "exit_fee_usd", "funding_usd", "bad_debt_usd"):
            assert row[name] == sum(event[name] for event in events), name
        assert row["borrow_fee_usd"] == sum(event["borrow_fee_usd"] + event["prepaid_borrow_usd"] for event in events)
        assert row["opened_size_usd"] - row["closed_size_usd"] == row["size_usd"]
        assert row["collateral_usd"] == sum(event["collateral_usd"] for event in events)
        assert row["deposited_usd"] == sum(max(event["collateral_usd"], 0) for event in events)
        if row["outcome"] != codes.O_OPEN:
            assert row["size_usd"] == row["collateral_usd"] == 0
            assert sum(event["locked_units"] for event in events) == 0
            assert row["closed_at"] == events[-1]["timestamp"] and row["close_price"] == events[-1]["price"]


def check_orders(case: Case, result: Result) -> None:
    """Each order is executed, or refused, or pending: exactly one of them."""
    executed = {event["order_id"] for event in result.events} - {-1}
    refused = Counter(row["order_id"] for row in result.rejections)
    assert not executed & set(refused)
    assert executed | set(refused) == {order["order_id"] for order in case.orders}
    assert all(count == 1 for count in refused.values())
    for row in result.rejections:
        assert row["reason"] != codes.OK
        assert (row["outcome"] == 1) == (row["reason"] >= codes.NOT_DUE and row["reason"] <= codes.LIMIT_NOT_REACHED)


def check_samples(case: Case, result: Result) -> None:
    """Samples fall where they should, and the change of AUM is explained to the micro-dollar."""
    interval, expected, bucket = case.pool["sample_interval_us"], [], None
    for time_us, _, _ in case.ticks:
        if time_us // interval != bucket or time_us == case.ticks[-1][0]:
            expected.append(time_us)
        bucket = time_us // interval
    assert [row["timestamp"] for row in result.lp_samples] == expected
    for lp in result.lp_samples:
        pools = [row for row in result.pool_samples if row["timestamp"] == lp["timestamp"]]
        markets = [row for row in result.market_samples if row["timestamp"] == lp["timestamp"]]
        assert [row["custody"] for row in pools] == list(range(len(case.custodies)))
        assert [row["market"] for row in markets] == list(range(len(case.markets)))
        assert lp["assets_usd"] == sum(row["value_usd"] for row in pools)
        assert lp["unrealised_pnl_usd"] == sum(row["long_pnl_usd"] + row["short_pnl_usd"] for row in markets)
        _check_attribution(lp)
        events = [event for event in result.events if event["timestamp"] <= lp["timestamp"]]
        assert lp["lp_supply"] == sum(event["lp_units"] for event in events)
        paid = sum(event["debt_paid_usd"] for event in events)
        assert lp["fees_debt_usd"] == lp["to_others_usd"] - paid


def _check_attribution(lp: Row) -> None:
    """AUM as the sum of its causes, and as the sum of its levels; rounding only where it is clamped at zero."""
    flows = lp["lp_flow_usd"] + lp["lp_fee_usd"] - lp["to_others_usd"] + lp["asset_drift_usd"] + lp["spread_usd"]
    trade = lp["exit_fee_usd"] + lp["borrow_fee_usd"] + lp["funding_usd"] - lp["trader_pnl_usd"] - lp["bad_debt_usd"]
    assert lp["aum_usd"] == flows + trade + lp["confiscated_usd"] + lp["rounding_usd"], lp
    levels = lp["accrued_borrow_usd"] + lp["accrued_exit_fee_usd"] + lp["accrued_funding_usd"]
    levels += lp["assets_usd"] - lp["unrealised_pnl_usd"] + lp["collateral_drift_usd"] - lp["fees_debt_usd"]
    assert lp["aum_usd"] == max(levels, 0), lp
    assert lp["rounding_usd"] == max(-levels, 0), lp
    assert lp["lp_price"] == (lp["aum_usd"] * 10**10 // lp["lp_supply"] if lp["lp_supply"] else 0)
