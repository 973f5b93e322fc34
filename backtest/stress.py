"""What a price shock does to a run: its state at a tick, one more tick with the shocked prices, and both side by side.

The engine itself settles that tick, on a copy of its state: liquidations, stops and everything that a replay of a
history with that tick at its end would do, to the micro-dollar.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from backtest.book_view import distance_percent
from backtest.columns import Labels
from backtest.engine import Engine
from backtest.marking import marks
from backtest.orders import empty_orders
from backtest.price_shock import Shock, shocked_tick
from backtest.rerun import Kept, Moment, Records
from kernels import codes

_USD, _LP_PRICE = 1e6, 1e10


@dataclass(frozen=True)
class Custody:
    """What a custody has and owes, at its prices of the moment.

    utilisation: locked over owned tokens
    owes_usd: what its open positions would be paid if all closed now; holds_usd: its tokens, traders' margin included
    """

    custody: str
    price_usd: float
    utilisation: float
    owes_usd: float
    holds_usd: float

    @property
    def is_solvent(self) -> bool:
        """It could pay."""
        return self.owes_usd <= self.holds_usd


@dataclass(frozen=True)
class State:
    """A run at a moment. Money in dollars.

    trader_pnl_usd: price PnL of open positions before fees, as closes would realise it
    liquidatable: open positions that must be liquidated and could not be, for want of liquidity or of a fresh price
    unpaid_usd: what open positions are worth less than nothing: bad debt to come
    """

    aum_usd: float
    lp_price_usd: float
    positions: int
    open_interest_usd: float
    trader_pnl_usd: float
    liquidatable: int
    unpaid_usd: float
    custodies: tuple[Custody, ...]


@dataclass(frozen=True)
class Outcome:
    """One shock: the state after it, and what its tick settled (counts, and sums over the events, in dollars)."""

    shock: str
    prices: dict[str, float]
    after: State
    liquidations: int
    liquidated_usd: float
    stop_losses: int
    take_profits: int
    limits_filled: int
    bad_debt_usd: float
    realised_pnl_usd: float

    def fault(self, bad_debt_usd: float = 0.0) -> str:
        """Why the pool does not survive, or nothing.

        It does with no more bad debt than this, settled or to come (`unpaid_usd`), an AUM above 0, and no custody that
        owes its open positions more than it holds.
        """
        lost = self.bad_debt_usd + self.after.unpaid_usd
        if lost > bad_debt_usd:
            return f"bad debt of ${lost:,.2f}"
        if self.after.aum_usd <= 0:
            return "an AUM of $0"
        for custody in self.after.custodies:
            if not custody.is_solvent:
                return f"{custody.custody} owes traders ${custody.owes_usd:,.0f} and holds ${custody.holds_usd:,.0f}"
        return ""


def state_of(moment: Moment) -> State:
    """The run as it was at the moment."""
    return _state(moment.samples, moment.engine, moment.labels)


def apply_shock(moment: Moment, shock: Shock) -> Outcome:
    """Run one tick with the shocked prices, a second after the moment, on a copy of the engine. No order is due."""
    outcome, _ = shocked(moment, shock)
    return outcome


def shocked(moment: Moment, shock: Shock) -> tuple[Outcome, npt.NDArray[Any]]:
    """The outcome of a shock, and the events (kernels.state.EVENT) of its tick."""
    kept = Kept(events=True)
    engine = moment.engine.fork(kept)
    tick = shocked_tick(moment.setup, moment.tick, shock)
    engine.run(tick, empty_orders(), is_last=True)
    engine.finish()
    events = kept.events
    kinds = events["kind"]
    liquidated = kinds == codes.K_LIQUIDATION
    outcome = Outcome(
        shock=shock.text,
        prices={
            source.symbol: int(tick.price[0, column]) / _LP_PRICE
            for column, source in enumerate(moment.setup.sources)
            if source.part == "price"
        },
        after=_state(kept.samples, engine, moment.labels),
        liquidations=int(liquidated.sum()),
        liquidated_usd=-int(events["size_usd"][liquidated].sum()) / _USD,
        stop_losses=int((kinds == codes.K_STOP_LOSS).sum()),
        take_profits=int((kinds == codes.K_TAKE_PROFIT).sum()),
        limits_filled=int((kinds == codes.K_LIMIT_OPEN).sum()),
        bad_debt_usd=int(events["bad_debt_usd"].sum()) / _USD,
        realised_pnl_usd=int(events["pnl_usd"].sum()) / _USD,
    )
    return outcome, events


def _state(samples: Records, engine: Engine, labels: Labels) -> State:
    book = marks(engine)
    lp = samples["lp"][0]
    equity = book["equity_usd"]
    return State(
        aum_usd=int(lp["aum_usd"]) / _USD,
        lp_price_usd=int(lp["lp_price"]) / _LP_PRICE,
        positions=len(book),
        open_interest_usd=int(book["size_usd"].sum()) / _USD,
        trader_pnl_usd=int(book["pnl_usd"].sum()) / _USD,
        liquidatable=int((distance_percent(book) == 0).sum()),
        unpaid_usd=-int(np.minimum(equity, 0).sum()) / _USD,
        custodies=tuple(
            _custody(row, name, int(unit), equity[book["custody"] == code])
            for code, (row, name, unit) in enumerate(
                zip(samples["pool"], labels.custodies, engine.venue.custody["unit"], strict=True)
            )
        ),
    )


def _custody(row: Any, name: str, unit: int, equity: npt.NDArray[np.int64]) -> Custody:
    """`row` is a pool sample, `unit` the units of a token, `equity` that of the positions it backs."""
    owned, value = int(row["owned_units"]), int(row["price"])
    held = owned + int(row["collateral_units"])
    return Custody(
        custody=name,
        price_usd=value / _LP_PRICE,
        utilisation=int(row["locked_units"]) / owned if owned > 0 else 0.0,
        owes_usd=int(np.maximum(equity, 0).sum()) / _USD,
        holds_usd=held / unit * value / _LP_PRICE,
    )
