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
        self.custodies = [record(state.CUSTODY.names, last_update_s=first_s) for _ in case.custodies]
        self.interest = {(c, side): record(state.INTEREST.names) for c in range(len(case.custodies)) for side in SIDES}
        # One Python integer stands for the two limbs of the 128-bit sum.
        self.sides = {
            (m, side): record(state.SIDE.names, weighted=0) for m in range(len(case.markets)) for side in SIDES
        }
        self.funding = [record(state.FUNDING_STATE.names, last_update_s=first_s) for _ in case.markets]
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

    def set_tick(self, time_us: int, prices: tuple[int, ...], flags: tuple[int, ...]) -> None:
        """The venue clock counts whole seconds."""
        self.now_us, self.now, self.prices, self.flags = time_us, time_us // 1_000_000, prices, flags

    # Prices: a custody has a band of `conf_bps` around the price of its symbol, a market trades at the mid. Spec 1.1.

    def mid(self, custody: int) -> int:
        return self.prices[self.custody_params[custody]["price_symbol"]]

    def confidence(self, custody: int) -> int:
        return self.mid(custody) * self.custody_params[custody]["conf_bps"] // a.BPS

    def low(self, custody: int) -> int:
        return self.mid(custody) - self.confidence(custody)

    def high(self, custody: int) -> int:
        return self.mid(custody) + self.confidence(custody)

    def trade_price(self, market: int) -> int:
        return self.prices[self.market_params[market]["price_symbol"]]

    def usd(self, units: int, custody: int, price: int) -> int:
        return a.usd(units, self.custody_params[custody]["decimals"], price)

    def tokens(self, amount_usd: int, custody: int, price: int) -> int:
        return a.tokens(amount_usd, self.custody_params[custody]["decimals"], price)

    def collateral_custody(self, market: int, side: int) -> int:
        """Token posted and locked: the market's custody of that side (spec 1.2)."""
        return self.market_params[market]["long_custody" if side == codes.LONG else "short_custody"]

    # Look-ups.

    def price_trouble(self, market: int, side: int) -> int:
        """OK, STALE_PRICE or MARKET_CLOSED for the two symbols a position of this market and side depends on."""
        custody = self.custody_params[self.collateral_custody(market, side)]
        flags = self.flags[self.market_params[market]["price_symbol"]] | self.flags[custody["price_symbol"]]
        if flags & codes.FLAG_STALE:
            return codes.STALE_PRICE
        return codes.MARKET_CLOSED if flags & codes.FLAG_CLOSED else codes.OK

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
