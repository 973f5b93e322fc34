"""State of the one pool: books, parameters, the prices of the current tick, and what has been written so far."""

from types import SimpleNamespace
from typing import Any

from kernels import codes, state
from tests.case import Case
from tests.reference import arithmetic as a

SIDES = (codes.LONG, codes.SHORT)
Record = SimpleNamespace  # attributes are the fields of the record of kernels.state named at its creation


class Refused(Exception):
    """An action the venue does not take; nothing has been booked when it is raised."""

    def __init__(self, reason: int) -> None:
        super().__init__(codes.REASONS[reason])
        self.reason = reason


def record(names: tuple[str, ...], **values: Any) -> Record:
    return SimpleNamespace(**{name: 0 for name in names} | values)


class Venue:
    """Mutable state. `rows` holds the open positions and the pending limit orders, oldest first."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.custody_params, self.market_params, self.params = case.custodies, case.markets, case.pool
        first_s = case.ticks[0][0] // 1_000_000
        start_s = first_s
        if self.params["borrow"] == codes.BORROW_STEPWISE:
            start_s -= first_s % self.params["borrow_interval_s"]
        self.custodies = [record(state.CUSTODY.names, last_update_s=start_s) for _ in case.custodies]
        self.interest = {(c, side): record(state.INTEREST.names) for c in range(len(case.custodies)) for side in SIDES}
        # One Python integer stands for the two limbs of the 128-bit sum.
        self.sides = {
            (m, side): record(state.SIDE.names, weighted=0) for m in range(len(case.markets)) for side in SIDES
        }
        self.funding = [record(state.FUNDING_STATE.names, last_update_s=first_s) for _ in case.markets]
        # Net change of open interest by second of the last minute, and the second of the last change.
        self.impact = [SimpleNamespace(slots=[0] * 60, last_s=0, used=False) for _ in case.markets]
        self.pool = record(state.POOL.names)
        self.accounts: dict[int, Record] = {}
        self.rows: list[Record] = []
        self.events: list[dict[str, int]] = []
        self.closed_positions: list[dict[str, int]] = []
        self.rejections: list[dict[str, int]] = []
        self.pool_samples: list[dict[str, int]] = []
        self.market_samples: list[dict[str, int]] = []
        self.lp_samples: list[dict[str, int]] = []
        self.now_us = self.now = 0
        self.prices: tuple[int, ...] = ()
        self.flags: tuple[int, ...] = ()
        self.stepwise_index: list[int] = []

    def set_tick(self, time_us: int, prices: tuple[int, ...], flags: tuple[int, ...]) -> None:
        """The venue clock counts whole seconds. A stepwise index is that of the books at the start of the tick."""
        self.now_us, self.now, self.prices, self.flags = time_us, time_us // 1_000_000, prices, flags
        if self.params["borrow"] == codes.BORROW_STEPWISE:
            self.stepwise_index = [self._stepwise(number) for number in range(len(self.custodies))]

    def _stepwise(self, number: int) -> int:
        """cum + 1000 * floor(factor * locked * n / owned) for n whole intervals. GMX v1 getNextFundingRate."""
        book = self.custodies[number]
        intervals = (self.now - book.last_update_s) // self.params["borrow_interval_s"]
        if intervals <= 0 or book.owned <= 0:
            return book.cum_index
        return book.cum_index + 1_000 * (
            self.custody_params[number]["borrow_max"] * book.locked * intervals // book.owned
        )

    # Prices. A custody has a low and a high symbol, and a band of `conf_bps` around them; a market a price to buy at,
    # and one to sell at. Spec 1.1; gmx.md A2; solana_venues.md 2, "price with spread".

    def mid(self, custody: int) -> int:
        return self.prices[self.custody_params[custody]["price_symbol"]]

    def ema(self, custody: int) -> int:
        return self.prices[self.custody_params[custody]["ema_symbol"]]

    def low(self, custody: int) -> int:
        params = self.custody_params[custody]
        quoted = self.prices[params["low_symbol"]]
        return quoted - quoted * params["conf_bps"] // a.BPS

    def posted(self, custody: int) -> int:
        """Price of collateral that is posted, and of a profit cap: a stable with a capped peg counts at most a dollar.

        solana-labs get_min_price.
        """
        params = self.custody_params[custody]
        capped = params["stable"] and params["peg"] == codes.PEG_CAPPED
        return min(self.low(custody), a.DOLLAR) if capped else self.low(custody)

    def high(self, custody: int) -> int:
        params = self.custody_params[custody]
        quoted = self.prices[params["high_symbol"]]
        return quoted + quoted * params["conf_bps"] // a.BPS

    def trade_price(self, market: int) -> int:
        return self.prices[self.market_params[market]["price_symbol"]]

    def market_low(self, market: int) -> int:
        return self.prices[self.market_params[market]["low_symbol"]]

    def market_high(self, market: int) -> int:
        return self.prices[self.market_params[market]["high_symbol"]]

    def market_ema(self, market: int) -> int:
        return self.prices[self.market_params[market]["ema_symbol"]]

    def buy(self, market: int) -> int:
        """high + ceil(high * spread), in whole micro-dollars where the spread is around spot and EMA."""
        if self.params["trade_price"] == codes.PRICE_ORACLE:
            return self.trade_price(market)
        price = self.market_high(market)
        return self._cut(price + a.fee(self.market_params[market]["spread_long_bps"], price))

    def sell(self, market: int) -> int:
        """low - floor(low * spread), not below 0."""
        if self.params["trade_price"] == codes.PRICE_ORACLE:
            return self.trade_price(market)
        price = self.market_low(market)
        return self._cut(max(price - price * self.market_params[market]["spread_short_bps"] // a.BPS, 0))

    def _cut(self, price: int) -> int:
        return price - price % 10_000 if self.params["trade_price"] == codes.PRICE_EMA_SPREAD else price

    def entry_price(self, market: int, side: int) -> int:
        return self.buy(market) if side == codes.LONG else self.sell(market)

    def exit_price(self, market: int, side: int) -> int:
        return self.sell(market) if side == codes.LONG else self.buy(market)

    def usd(self, units: int, custody: int, price: int) -> int:
        return a.usd(units, self.custody_params[custody]["decimals"], price)

    def tokens(self, amount_usd: int, custody: int, price: int) -> int:
        return a.tokens(amount_usd, self.custody_params[custody]["decimals"], price)

    def signed_tokens(self, amount_usd: int, custody: int, price: int) -> int:
        """Units of a signed amount, floored towards zero."""
        return a.sign(amount_usd) * self.tokens(abs(amount_usd), custody, price)

    def collateral_custody(self, market: int, side: int) -> int:
        """Token posted and locked: the market's custody of that side (spec 1.2)."""
        return self.market_params[market]["long_custody" if side == codes.LONG else "short_custody"]

    def traded_custody(self, market: int, side: int) -> int:
        """Custody of the token that is traded; the collateral custody where the pool holds no such token."""
        traded = self.market_params[market]["long_custody"]
        return traded if traded >= 0 else self.collateral_custody(market, side)

    @property
    def pooled(self) -> bool:
        return self.params["margin"] == codes.MARGIN_POOLED

    # Look-ups.

    def flags_of(self, params: dict[str, int]) -> int:
        """Flags of the four symbols of a custody or market, together."""
        found = 0
        for name in ("price_symbol", "low_symbol", "high_symbol", "ema_symbol"):
            found |= self.flags[params[name]]
        return found

    def book_flags(self, market: int, side: int) -> int:
        custody = self.collateral_custody(market, side)
        return self.flags_of(self.market_params[market]) | self.flags_of(self.custody_params[custody])

    def price_trouble(self, market: int, side: int, closed_allowed: bool = False) -> int:
        """OK, MARKET_CLOSED or STALE_PRICE for the symbols a position of this market and side depends on."""
        flags = self.book_flags(market, side)
        if flags & codes.FLAG_CLOSED and not closed_allowed:
            return codes.MARKET_CLOSED
        return codes.STALE_PRICE if flags & codes.FLAG_STALE else codes.OK

    def is_idle(self, market: int, side: int) -> bool:
        """No keeper looks at this book at this tick: nothing of it is triggered."""
        return bool(self.book_flags(market, side) & codes.FLAG_IDLE)

    def find(self, position_id: int) -> Record | None:
        """The open position or pending limit order that holds this id now."""
        return next((row for row in self.rows if row.position_id == position_id), None)

    def book(self, market: int, side: int, status: int) -> list[Record]:
        """Rows of one book as they are now, oldest first; a fresh list, so rows may leave while it is walked."""
        rows = [r for r in self.rows if (r.market, r.side, r.status) == (market, side, status)]
        return sorted(rows, key=lambda r: r.position_no)

    def books(self, status: int) -> list[tuple[int, int]]:
        """Keys of the books that hold such rows, in the order (market, side)."""
        return sorted({(r.market, r.side) for r in self.rows if r.status == status})

    def reject(self, order: dict[str, int], reason: int, pending: bool = False) -> None:
        self.rejections.append(
            {
                "timestamp": self.now_us,
                "order_id": order["order_id"],
                "position_id": order["position_id"],
                "action": order["action"],
                "reason": reason,
                "outcome": int(pending),
            }
        )
