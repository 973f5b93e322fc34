"""The engine driven through a scenario, one tick per step, as the vault's callers drove the vault.

A step becomes an order that is due at a tick of its own; then a quiet tick takes new prices up without doing anything.
Keepers are idle (FLAG_IDLE) but in the tick of a `liquidate` step. Tokens, caps and fees that a step sets hold from
the next tick on, as dated changes of a protocol do.
"""

from collections import defaultdict
from typing import Any

import numpy as np

from backtest.engine import Engine, make_venue
from kernels import codes, state
from tests import case
from tests.engine import to_dicts, to_orders
from tests.golden import gmx_setup
from tests.golden.gmx_convert import Scenario, Step
from tests.golden.gmx_reasons import INVALID, NO_TRIGGER, NOT_OFFERED
from tests.golden.gmx_setup import Units

Row = dict[str, int]
_SHIELD = 10**17
_NO_PRICE = 10**10  # quoted for a token that has none yet: nothing of it is held


class Replay:
    """A pool, the tokens it has been told of, and what its callers have received."""

    def __init__(self, scenario: Scenario, fine: int) -> None:
        self.params = scenario.params
        self.units = Units(scenario, fine)
        self.tokens = list(self.units.tokens)
        self.listed: set[str] = set()
        self.quotes = [_NO_PRICE] * (2 * len(self.tokens))
        self.ex_amm: dict[int, int] = {}
        self.positions: dict[tuple[str, str, str, str], int] = {}
        self.accounts: dict[str, int] = {}
        self.tracker_ready = False
        # What single steps have set, over what tokens and parameters say: by token, by index token, of the pool.
        self.custody_set: dict[str, Row] = defaultdict(dict)
        self.market_set: dict[str, Row] = defaultdict(dict)
        self.pool_set: Row = {}
        self.received: dict[tuple[str, str], int] = defaultdict(int)
        self.tables: dict[str, list[Row]] = defaultdict(list)
        self.n_orders = self.n_changes = 0
        self._list_markets()
        first = next(step["t"] for step in scenario.steps if "t" in step)
        self.now_us = first * 1_000_000
        self.engine = self._start()

    def _list_markets(self) -> None:
        """One market per index token and stable; longs trade on the first of an index."""
        known = self.units.tokens
        self.markets: list[tuple[str, str]] = []
        stables = [token for token in self.tokens if known[token]["stable"]] or [""]
        for index in self.tokens:
            if not known[index]["stable"]:
                self.markets += [(index, stable) for stable in stables]

    def _custody_fields(self, token: str) -> Row:
        symbol = 2 * self.tokens.index(token)
        fields = gmx_setup.custody_fields(self.units, token, symbol, self.units.tokens[token], self.params)
        return fields | ({} if token in self.listed else {"weight": 0}) | self.custody_set[token]

    def _market_fields(self, market: tuple[str, str]) -> Row:
        index, stable = market
        c = self.tokens.index(index)
        short = self.tokens.index(stable) if stable else -1
        fields = gmx_setup.market_fields(self.units, c, short, 2 * c, self.units.tokens[index], self.params)
        return fields | self.market_set[index]

    def _fields(self) -> tuple[list[Row], list[Row], Row]:
        custodies = [self._custody_fields(token) for token in self.tokens]
        markets = [self._market_fields(market) for market in self.markets]
        return custodies, markets, gmx_setup.pool_fields(self.params) | self.pool_set

    def _start(self) -> Engine:
        def keep(table: str, records: np.ndarray) -> None:
            self.tables[table].extend(to_dicts(records))

        engine = Engine(make_venue(*self._fields()), keep, buffer_rows=64, capacity=32)
        engine.start(self._tick(), [0] * len(self.tokens))
        return engine

    def _tick(self, watched: tuple[str, ...] = ()) -> state.Ticks:
        """The quotes; keepers are at work on positions of the `watched` tokens only, at prices without the AMM's."""
        quotes = list(self.quotes)
        flags = np.full((1, len(quotes)), codes.FLAG_IDLE, np.uint8)
        if watched:
            for symbol, value in self.ex_amm.items():
                quotes[symbol] = value
        for token in watched:
            c = self.tokens.index(token)
            flags[0, 2 * c : 2 * c + 2] = 0
        return state.Ticks(np.array([self.now_us], np.int64), np.array([quotes], np.int64), flags)

    def _run(self, orders: list[Row], watched: tuple[str, ...] = ()) -> tuple[list[Row], list[Row]]:
        """One tick; returns its events and rejections."""
        self.now_us += 1  # several steps may share a second
        for order in orders:
            order["due_us"] = self.now_us
        self.engine.run(self._tick(watched), to_orders(orders))
        self.engine._flush()
        events, refused = self.tables.pop("events", []), self.tables.pop("rejections", [])
        self._number_positions(events)
        return events, refused

    def _number_positions(self, events: list[Row]) -> None:
        gone = {e["position_id"] for e in events if e["kind"] in (codes.K_CLOSE, codes.K_LIQUIDATION)}
        self.positions = {key: number for key, number in self.positions.items() if number not in gone}

    def set_time(self, step: Step) -> None:
        """Go to the step's second, never back."""
        self.now_us = max(self.now_us, step.get("t", 0) * 1_000_000)

    def custody(self, token: str) -> np.void:
        return self.engine.venue.custody[self.tokens.index(token)]

    def market_of(self, index: str, collateral: str, side: str) -> int:
        """Number of the market, or -1 where the scenario has configured none."""
        for m, (traded, stable) in enumerate(self.markets):
            if traded == index and collateral == (index if side == "long" else stable):
                return m if {index, collateral} <= self.listed else -1
        return -1

    def row(self, step_or_key: Any) -> tuple[np.ndarray, int]:
        """The open row of a position (array of one, or of none) and its book."""
        rows = self.engine.books.row
        number = self.positions.get(step_or_key, -2)
        found = rows[(rows["status"] == codes.OPEN_POSITION) & (rows["position_id"] == number)]
        return found, int(found["book"][0]) if len(found) else -1

    def _track(self, is_told: bool) -> None:
        """The tracker follows only what comes through its caller, but its average counts whenever it is ready."""
        self.engine.venue.pool["tracker_on"] = int(self.tracker_ready and is_told)

    def listen(self, step: Step) -> None:
        """A quiet tick: new prices and switches count, nothing is done."""
        self.set_time(step)
        self._track(True)
        self._run([])

    def set_token(self, step: Step) -> None:
        """Configure a token, or change its configuration."""
        self.units.tokens[step["token"]] = step
        self.listed.add(step["token"])

    def apply(self) -> None:
        """Let what steps have set hold from now on."""
        self.n_changes += 1
        self.engine.apply(*self._fields(), time_us=self.now_us, number=self.n_changes)
        self.engine._flush()
        self.tables.clear()

    def set_price(self, step: Step) -> None:
        """Quote a token; `*_ex_amm` are the prices that liquidations see."""
        if step["token"] not in self.tokens:
            return
        symbol = 2 * self.tokens.index(step["token"])
        for offset, name in enumerate(("min", "max")):
            self.quotes[symbol + offset] = gmx_setup.price(step[name])
            self.ex_amm[symbol + offset] = gmx_setup.price(step.get(f"{name}_ex_amm", step[name]))

    def settle(self, fields: Row, tracked: bool = False) -> tuple[list[Row], str]:
        """Execute one order; its events and, if it was refused, the reason."""
        self._track(tracked)
        self.n_orders += 1
        events, refused = self._run([case.order(due_us=0, order_id=self.n_orders, **fields)])
        assert (len(events) > 0) != (len(refused) == 1), (events, refused)
        return events, codes.REASONS[refused[0]["reason"]] if refused else ""

    def liquidate(self, key: tuple[str, str, str, str], tracked: bool = False) -> tuple[list[Row], str]:
        """Let the keepers work for one tick, on one position: upstream liquidates what it is told to and no other.

        Meanwhile the others are shielded by more collateral than any fee or loss.
        """
        if key not in self.positions:
            return [], NO_TRIGGER
        self._track(tracked)
        rows, number = self.engine.books.row, self.positions[key]
        others = (rows["status"] == codes.OPEN_POSITION) & (rows["position_id"] != number)
        rows["collateral_usd"][others] += _SHIELD
        events, _ = self._run([], watched=(key[1], key[2]))
        rows["collateral_usd"][others] -= _SHIELD
        return events, "" if events else NO_TRIGGER

    def trade(self, step: Step, key: tuple[str, str, str, str]) -> tuple[list[Row], str]:
        """Increase or decrease a position."""
        _, collateral, index, side = key
        m = self.market_of(index, collateral, side)
        if m < 0:
            return [], NOT_OFFERED if step["do"] == "increase" or key in self.positions else "position_not_found"
        size = self.units.usd(step["size"])
        held = key in self.positions
        if step["do"] == "increase":
            units = self.units.units(collateral, step["units"])
            if not held:
                self.positions[key] = self.n_orders + 1
            fields = {"action": codes.INCREASE if held else codes.OPEN, "collateral_units": units, "size_usd": size}
            if held and size == 0:
                fields = {"action": codes.DEPOSIT_COLLATERAL, "collateral_units": units}
        else:
            part = self.units.usd(step["part"])
            fields = {"action": codes.DECREASE, "size_usd": size, "collateral_usd": part}
            if size == 0:
                fields = {"action": codes.WITHDRAW_COLLATERAL, "collateral_usd": part}
        fields |= {"position_id": self.positions.get(key, 0), "market": m, "side": codes.SIDES.index(side)}
        events, reason = self.settle(fields, bool(step.get("tracked")))
        if reason and not held:
            self.positions.pop(key, None)
        return events, reason

    def move(self, step: Step, action: int, **fields: int) -> tuple[list[Row], str]:
        """An order of liquidity, a swap, a donation, a payment of fees."""
        named = [step[key] for key in ("token", "token_out") if key in step]
        if not set(named) <= self.listed:
            return [], INVALID
        columns = dict(zip(("custody", "custody_out"), map(self.tokens.index, named), strict=False))
        account = self.accounts.setdefault(step.get("account", ""), len(self.accounts))
        # No short changes, so the tracker has nothing to follow; the pool is valued with what it knows.
        return self.settle({"action": action, "lp_account": account} | columns | fields, tracked=True)

    def lp_balance(self, account: str) -> int:
        """LP tokens of an account."""
        accounts = self.engine.accounts
        records = accounts.account[: int(accounts.used[0])]
        return int(records["balance"][records["account"] == self.accounts.get(account, -1)].sum())

    def copy_state(self) -> list[np.ndarray]:
        """The arrays of the pool, of its accounts and of its positions, to go back to."""
        parts = (*self.engine.venue, *self.engine.accounts, *self.engine.books)
        return [part.copy() for part in parts]

    def restore(self, copies: list[np.ndarray]) -> None:
        parts = (*self.engine.venue, *self.engine.accounts, *self.engine.books)
        for part, copy in zip(parts, copies, strict=True):
            part[...] = copy
