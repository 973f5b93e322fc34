"""How a golden test is written down: a script of ticks and orders, and the integers that must come out of it.

Ticks of a script are seconds apart from a fixed start. A custody and the asset traded against it have a symbol
each: that is how jitoSOL backs SOL at the venue, and how a custody whose price band was not the usual one at some
moment of an upstream test keeps its low (or high) price here although `conf_bps` is fixed for a run.
"""

from dataclasses import dataclass, field
from typing import Any

from kernels import codes
from tests import case

P = 10**10  # one dollar as a price
M = 10**6  # one dollar as money, one token with six decimals, one second
K = 10**9  # one token with nine decimals
START_S = 1_700_000_000
USDC = 0  # custody 0 of every script
LIST_TABLES = ("custodies", "interest", "sides", "funding")


def with_low(low: int, conf_bps: int) -> int:
    """A mid price whose low price is exactly `low`."""
    price = low * 10_000 // (10_000 - conf_bps)
    while price - price * conf_bps // 10_000 != low:
        price += 1 if price - price * conf_bps // 10_000 < low else -1
    return price


def with_high(high: int, conf_bps: int) -> int:
    """A mid price whose high price is exactly `high`; not every integer is one."""
    price = high * 10_000 // (10_000 + conf_bps)
    while price + price * conf_bps // 10_000 < high:
        price += 1
    assert price + price * conf_bps // 10_000 == high, (high, conf_bps)
    return price


@dataclass(frozen=True)
class Token:
    """A custody of the pool, the liquidity it starts with, and the market traded against it (none for a stable).

    `trade`: price of the traded asset where it is not the custody's own; `limits`: parameters of the market.
    """

    name: str
    decimals: int
    price: int
    amount: int
    conf_bps: int = 25
    stable: int = 0
    trade: int = -1
    locked_cap_usd: int = 0
    limits: dict[str, int] = field(default_factory=dict)


def usdc(amount: int, conf_bps: int = 10, **more: int) -> Token:
    """The stable of the upstream tests: $1, and a band of 10 bps there (production has none)."""
    return Token("USDC", 6, P, amount, conf_bps, stable=1, **more)


@dataclass(frozen=True)
class Expect:
    """`values` of the one row of `table` found by `where`; or, with `count`, how many rows that finds."""

    table: str
    where: dict[str, int]
    values: dict[str, int] = field(default_factory=dict)
    count: int = -1


@dataclass(frozen=True)
class Scenario:
    """`source`: upstream file under programs/adrena. Every order not in `refused` must be executed."""

    name: str
    source: str
    case: case.Case
    expects: list[Expect]
    refused: dict[int, int]
    liquidations: int
    note: str = ""


class Script:
    """Builds a scenario. Prices set with `price` hold from the next `warp` on, as in the upstream tests."""

    def __init__(self, *tokens: Token, borrow_max: int = 100_000, bps: tuple[int, int, int, int] = (10, 10, 16, 16),
                 **pool: int) -> None:  # fmt: skip
        """`bps`: add, remove, close, liquidation. One market per token that is not stable, shorts backed by USDC."""
        add, remove, self.close_bps, self.liquidation_bps = bps
        self.tokens, self.custodies, self.markets = tokens, [], []
        self.custody_of = {token.name: number for number, token in enumerate(tokens)}
        self.prices = [token.price for token in tokens]
        self.market_of: dict[str, int] = {}
        for number, token in enumerate(tokens):
            self.custodies.append(
                case.custody(
                    decimals=token.decimals,
                    stable=token.stable,
                    price_symbol=number,
                    conf_bps=token.conf_bps,
                    add_bps=add,
                    remove_bps=remove,
                    minimum_units=200_000 * M if token.stable else 0,
                    max_position_locked_usd=token.locked_cap_usd,
                    borrow_max=borrow_max,
                    interest_in_pnl=1 - token.stable,
                )
            )
        for token in tokens:
            if not token.stable:
                self.add_market(token)
        self.pool = case.pool(sample_interval_us=M) | pool
        self.second = 0
        self.ticks: list[tuple[int, tuple[int, ...], tuple[int, ...]]] = []
        self.orders: list[dict[str, int]] = []
        self.genesis: list[int] = []
        self.expects: list[Expect] = []
        self.refused: dict[int, int] = {}
        self.liquidations = 0

    def add_market(self, token: Token, name: str = "") -> None:
        """A market for the token, with a symbol of its own."""
        self.market_of[name or token.name] = len(self.markets)
        self.markets.append(
            case.market(
                price_symbol=len(self.prices),
                long_custody=self.custody_of[token.name],
                short_custody=USDC,
                close_bps=self.close_bps,
                liquidation_bps=self.liquidation_bps,
                **token.limits,
            )
        )
        self.prices.append(token.price if token.trade < 0 else token.trade)

    # Time and prices.

    @property
    def now_us(self) -> int:
        return (START_S + self.second) * M

    def price(self, name: str, value: int) -> None:
        """Price of custody and traded asset alike."""
        self.custody_price(name, value)
        self.trade_price(name, value)

    def custody_price(self, name: str, value: int) -> None:
        self.prices[self.custody_of[name]] = value

    def trade_price(self, name: str, value: int) -> None:
        self.prices[self.markets[self.market_of[name]]["price_symbol"]] = value

    def warp(self, seconds: int, closed: str = "") -> "Script":
        """The next tick. `closed`: market without liquidations at it (the venue's need a keeper; ours do not)."""
        self.second += seconds
        flags = [0] * len(self.prices)
        if closed:
            flags[self.markets[self.market_of[closed]]["price_symbol"]] = codes.FLAG_CLOSED
        self.ticks.append((self.now_us, tuple(self.prices), tuple(flags)))
        return self

    # Orders, due at the present tick; each returns its id.

    def order(self, action: int, **fields: int) -> int:
        number = len(self.orders) + 1
        self.orders.append(case.order(due_us=self.now_us, action=action, order_id=number, **fields))
        return number

    def setup(self) -> "Script":
        """First tick: each token is deposited and the fees are paid out at once, as the upstream harness does."""
        self.warp(0)
        for number, token in enumerate(self.tokens):
            if token.amount > 0:
                self.order(codes.ADD_LIQUIDITY, custody=number, amount_units=token.amount)
                if self.custodies[number]["add_bps"] > 0:
                    self.distribute()
        return self

    def distribute(self) -> int:
        return self.order(codes.DISTRIBUTE_FEES)

    def enter(self, action: int, name: str, side: int, units: int, leverage_bps: int, **more: int) -> int:
        fields = {"position_id": 1} | more
        return self.order(
            action,
            market=self.market_of[name],
            side=side,
            collateral_units=units,
            leverage_bps=leverage_bps,
            **fields,
        )

    def long(self, name: str, units: int, leverage_bps: int, **more: int) -> int:
        return self.enter(codes.OPEN, name, codes.LONG, units, leverage_bps, **more)

    def short(self, name: str, units: int, leverage_bps: int, **more: int) -> int:
        return self.enter(codes.OPEN, name, codes.SHORT, units, leverage_bps, **more)

    def increase(self, units: int, leverage_bps: int, **more: int) -> int:
        fields = {"position_id": 1} | more
        return self.order(codes.INCREASE, collateral_units=units, leverage_bps=leverage_bps, **fields)

    def close(self, **more: int) -> int:
        return self.order(codes.CLOSE, **({"position_id": 1} | more))

    def deposit(self, units: int) -> int:
        return self.order(codes.DEPOSIT_COLLATERAL, position_id=1, collateral_units=units)

    def withdraw(self, amount_usd: int) -> int:
        return self.order(codes.WITHDRAW_COLLATERAL, position_id=1, collateral_usd=amount_usd)

    def refuse(self, order_id: int, reason: int) -> None:
        self.refused[order_id] = reason

    # What must come out.

    def expect(self, table: str, where: Any, **values: int) -> None:
        """`where`: index of a final state, order id of an event, or columns of the row."""
        if isinstance(where, int):
            where = {"index": where} if table in LIST_TABLES else {"order_id": where}
        self.expects.append(Expect(table, where, values))

    def expect_custody(self, name: str, **values: int) -> None:
        self.expect("custodies", self.custody_of[name], **values)

    def expect_interest(self, name: str, side: int, **values: int) -> None:
        self.expect("interest", 2 * self.custody_of[name] + side, **values)

    def expect_side(self, name: str, side: int, **values: int) -> None:
        self.expect("sides", 2 * self.market_of[name] + side, **values)

    def expect_position(self, position_id: int = 1, **values: int) -> None:
        """Final state of a position that is still open."""
        self.expect("book", {"position_id": position_id}, **values)

    def expect_lp(self, **values: int) -> None:
        """Sample of this tick, taken after its orders."""
        self.expect("lp_samples", {"timestamp": self.now_us}, **values)

    def expect_index(self, name: str, rate: int, index: int) -> None:
        """Borrow rate and index, as sampled at this tick."""
        where = {"timestamp": self.now_us, "custody": self.custody_of[name]}
        self.expect("pool_samples", where, borrow_rate=rate, borrow_index=index)

    def expect_empty(self, name: str) -> None:
        """No trace of a position is left on either side of a market."""
        for side in (codes.LONG, codes.SHORT):
            zero = ("open_positions", "size_usd", "exit_fee_usd", "total_quantity", "locked", "collateral_usd")
            self.expect_side(name, side, weighted=0, **dict.fromkeys(zero, 0))
            zero = ("open_positions", "borrow_size_usd", "locked", "cum_interest_usd", "cum_snapshot")
            for custody in (name, "USDC"):
                self.expect_interest(custody, side, **dict.fromkeys(zero, 0))

    def expect_count(self, table: str, where: dict[str, int], count: int) -> None:
        self.expects.append(Expect(table, where, count=count))

    def scenario(self, name: str, source: str, note: str = "") -> Scenario:
        made = case.Case(self.custodies, self.markets, self.pool, self.ticks, self.orders, self.genesis)
        return Scenario(name, source, made, self.expects, self.refused, self.liquidations, note)
