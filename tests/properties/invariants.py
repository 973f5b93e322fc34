"""What must hold of every run, whoever computed it: checks over a case and its result, exact to the unit."""

from collections import Counter, defaultdict

from kernels import codes
from tests.case import Case, Result
from tests.reference.venue import Venue

Row = dict[str, int]
CLOSING = (codes.K_DECREASE, codes.K_CLOSE, codes.K_STOP_LOSS, codes.K_TAKE_PROFIT, codes.K_LIQUIDATION)
ENTERING = (codes.K_OPEN, codes.K_LIMIT_OPEN, codes.K_INCREASE, codes.K_DEPOSIT_COLLATERAL)
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
    "open_fee",
    "liquidator",
    "margin",
    "reserved_fee",
)
NO_MONEY = (codes.K_SET_TRIGGERS, codes.K_CANCEL_LIMIT, codes.K_ACCRUE)


def check_all(case: Case, result: Result) -> None:
    check_events(case, result)
    check_values(case, result)
    check_books(case, result)
    check_dollars(case, result)
    check_open_interest(result)
    check_positions(case, result)
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
        income += e["open_fee_usd"] + e["drift_usd"] + e["spread_usd"] + e["margin_usd"]
        spent = e["debt_paid_usd"] + e["reserved_fee_usd"] + e["liquidator_usd"]
        assert e["owned_value_usd"] == income - spent, ("A", e)
        flows = e["trader_in_units"] - e["trader_out_units"] - e["fees_out_units"]
        books = e["owned_units"] + e["collateral_units"] + e["fee_units"] + e["stranded_units"]
        assert flows == books, ("B", e)
        shares = e["lp_share_usd"] + e["protocol_share_usd"] + e["referrer_share_usd"]
        charged = e["open_fee_usd"] + e["exit_fee_usd"] + e["borrow_fee_usd"] + e["lp_fee_usd"]
        assert charged == shares, ("C", e)
        if e["kind"] in (*CLOSING, codes.K_WITHDRAW_COLLATERAL):
            payout = -e["collateral_usd"] + e["pnl_usd"] - fees + e["bad_debt_usd"] - e["confiscated_usd"]
            assert e["payout_usd"] == payout, ("D", e)
        for name in ("trader_in_units", "trader_out_units", "fees_out_units", "payout_usd", "bad_debt_usd"):
            assert e[name] >= 0, (name, e)
        if e["kind"] in NO_MONEY:
            prices = () if e["kind"] == codes.K_ACCRUE else ("price",)
            assert not any(value for name, value in e.items() if name.endswith(("_usd", "_units", *prices))), e


def check_values(case: Case, result: Result) -> None:
    """Dollars of tokens at the low price of the moment: of what the pool gained, and of what a trader put in."""
    venue, ticks = Venue(case), {tick[0]: tick for tick in case.ticks}
    pooled = case.pool["margin"] == codes.MARGIN_POOLED
    for e in result.events:
        if e["custody"] < 0:
            continue
        venue.set_tick(*ticks[e["timestamp"]])
        low = venue.low(e["custody"])
        worth = venue.usd(abs(e["owned_units"]), e["custody"], low)
        assert e["owned_value_usd"] == (worth if e["owned_units"] > 0 else -worth), e
        if pooled and e["kind"] in ENTERING:
            given = e["collateral_usd"] + e["open_fee_usd"] + e["borrow_fee_usd"] + e["funding_usd"]
            assert given == venue.usd(e["trader_in_units"], e["custody"], venue.posted(e["custody"])), e


def check_books(case: Case, result: Result) -> None:
    """Books of the custodies are the sums of their events; supply, debts and sums of the pool likewise."""
    pool, total = result.pool, Counter[str]()
    for number, book in enumerate(result.custodies):
        rows = [event for event in result.events if event["custody"] == number]
        for name in ("owned", "collateral", "locked"):
            assert book[name] == sum(row[f"{name}_units"] for row in rows), (number, name)
            assert book[name] >= 0, (number, name)
        assert book["fees"] == sum(row["fee_units"] for row in rows) >= 0
        assert book["stranded"] == sum(row["stranded_units"] for row in rows)
        assert book["locked"] == sum(result.interest[number * 2 + side]["locked"] for side in (0, 1))
    for event in result.events:
        total.update({name: value for name, value in event.items() if name.endswith("_usd")})
    for name in SUMMED:
        assert pool[f"{name}_usd"] == total[f"{name}_usd"], name
    assert pool["borrow_fee_usd"] == total["borrow_fee_usd"] + total["prepaid_borrow_usd"]
    owed = total["protocol_share_usd"] + total["referrer_share_usd"]
    if case.pool["fee_booking"] != codes.BOOK_DEBT:
        owed = 0
    assert pool["to_others_usd"] == owed + total["reserved_fee_usd"]
    assert pool["fees_debt_usd"] + pool["referrers_debt_usd"] == owed - pool["debt_paid_usd"]
    pooled = case.pool["valuation"] == codes.VALUE_GUARANTEED
    posted = sum(result.sides[market * 2 + codes.LONG]["collateral_usd"] for market in range(len(case.markets)))
    assert pool["margin_usd"] == (posted if pooled else 0)
    assert pool["lp_supply"] == sum(event["lp_units"] for event in result.events) >= 0
    assert pool["volume_usd"] == sum(abs(event["size_usd"]) for event in result.events)
    kinds = Counter(event["kind"] for event in result.events)
    assert pool["n_open"] == kinds[codes.K_OPEN] + kinds[codes.K_LIMIT_OPEN] == pool["next_position_no"]
    assert pool["n_closed"] == sum(kinds[kind] for kind in (codes.K_CLOSE, codes.K_STOP_LOSS, codes.K_TAKE_PROFIT))
    assert pool["n_liquidated"] == kinds[codes.K_LIQUIDATION]


def check_dollars(case: Case, result: Result) -> None:
    """Internal dollars, replayed from the flows: issued by deposits, burnt by withdrawals, moved by swaps."""
    venue, ticks = Venue(case), {tick[0]: tick for tick in case.ticks}
    supply, held, moved = 0, [0] * len(case.custodies), 0
    for e in result.events:
        number, flow = e["custody"], e["lp_flow_usd"] if e["kind"] != codes.K_DONATE else 0
        if case.pool["lp_fee"] == codes.LP_FEE_TAX_REBATE and flow:
            supply += max(flow, -supply)
            held[number] += max(flow, -held[number])
        if case.pool["swap_mode"] != codes.SWAP_TAX_REBATE:
            continue
        if e["kind"] == codes.K_SWAP_IN:
            venue.set_tick(*ticks[e["timestamp"]])
            moved = venue.usd(e["trader_in_units"], number, venue.low(number))
            held[number] += moved
        elif e["kind"] == codes.K_SWAP_OUT:
            held[number] = max(held[number] - moved, 0)
    assert result.pool["dollar_supply_usd"] == supply
    assert [book["dollars_usd"] for book in result.custodies] == held


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
                # averages of the short side outlive its last position
                assert not any(value for name, value in book.items() if not name.endswith("_price")), book
            for name, value in sums[number // 2, number % 2].items():
                assert book[name] == value, (number, name)


def check_positions(case: Case, result: Result) -> None:
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
        for name in ("payout", "pnl", "open_fee", "exit_fee", "funding", "bad_debt", "confiscated"):
            name = f"{name}_usd"
            assert row[name] == sum(event[name] for event in events), name
        assert row["borrow_fee_usd"] == sum(event["borrow_fee_usd"] + event["prepaid_borrow_usd"] for event in events)
        assert row["opened_size_usd"] - row["closed_size_usd"] == row["size_usd"]
        assert row["collateral_usd"] == sum(event["collateral_usd"] for event in events)
        assert row["deposited_usd"] == sum(_deposited(case, event) for event in events)
        if row["outcome"] != codes.O_OPEN:
            assert row["size_usd"] == row["collateral_usd"] == 0
            assert sum(event["locked_units"] for event in events) == 0
            assert row["closed_at"] == events[-1]["timestamp"] and row["close_price"] == events[-1]["price"]


def _deposited(case: Case, event: Row) -> int:
    """What an event put into the position: where fees come out of the collateral, before them."""
    if case.pool["margin"] == codes.MARGIN_SEPARATE:
        return max(event["collateral_usd"], 0)
    if event["kind"] not in ENTERING:
        return 0
    return sum(event[f"{name}_usd"] for name in ("collateral", "open_fee", "borrow_fee", "funding"))


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
        min_max = case.pool["valuation"] == codes.VALUE_COLLECTIVE_MIN_MAX
        unrealised = sum(row["long_pnl_usd"] + row["short_pnl_usd"] for row in markets)
        assert lp["unrealised_pnl_usd"] == (0 if min_max and not case.pool["unrealised_in_aum"] else unrealised)
        for row in pools:
            venue = Venue(case)
            assert row["value_usd"] == venue.usd(row["owned_units"], row["custody"], row["low_price"])
        _check_attribution(case, lp, lent_out=any(row["locked_units"] > row["owned_units"] for row in pools))
        events = [event for event in result.events if event["timestamp"] <= lp["timestamp"]]
        assert lp["lp_supply"] == sum(event["lp_units"] for event in events)
        paid = sum(event["debt_paid_usd"] + event["reserved_fee_usd"] for event in events)
        assert lp["fees_debt_usd"] == lp["to_others_usd"] - paid
        if case.pool["valuation"] == codes.VALUE_GUARANTEED:
            assert lp["margin_usd"] == sum(event["margin_usd"] for event in events)


def _check_attribution(case: Case, lp: Row, lent_out: bool) -> None:
    """AUM as the sum of its causes, and as the sum of its levels; rounding only where it is clamped at zero.

    The min-max rule does not count the fee debt, which is left to rounding; the guaranteed one floors the tokens lent
    to longs in one sum, and cuts them at what is owned (`lent_out`: more is locked than that).
    """
    flows = lp["lp_flow_usd"] + lp["lp_fee_usd"] - lp["to_others_usd"] + lp["asset_drift_usd"] + lp["spread_usd"]
    flows += lp["open_fee_usd"] - lp["liquidator_usd"]
    trade = lp["exit_fee_usd"] + lp["borrow_fee_usd"] + lp["funding_usd"] - lp["trader_pnl_usd"] - lp["bad_debt_usd"]
    assert lp["aum_usd"] == flows + trade + lp["confiscated_usd"] + lp["rounding_usd"], lp
    levels = lp["accrued_borrow_usd"] + lp["accrued_exit_fee_usd"] + lp["accrued_funding_usd"]
    levels += lp["assets_usd"] - lp["unrealised_pnl_usd"] + lp["collateral_drift_usd"] - lp["margin_usd"]
    due = lp["fees_debt_usd"]
    ignored = due if case.pool["valuation"] == codes.VALUE_COLLECTIVE_MIN_MAX else 0
    if case.pool["valuation"] != codes.VALUE_GUARANTEED:
        assert lp["aum_usd"] == max(levels - due + ignored, 0), lp
    elif not lent_out:
        assert abs(lp["aum_usd"] - max(levels - due, 0)) <= len(case.markets) + len(case.custodies), lp
    assert lp["rounding_usd"] == lp["aum_usd"] - (levels - due), lp
    assert lp["lp_price"] == (lp["aum_usd"] * 10**10 // lp["lp_supply"] if lp["lp_supply"] else 0)
