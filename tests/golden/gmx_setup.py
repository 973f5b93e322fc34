"""A scenario of GMX v1 as parameters of ours: its units, its custodies, its markets, its pool.

Resolution. Upstream counts dollars to 30 digits, we to 6. All rules are homogeneous: at fixed prices, amounts and
dollars can be multiplied by one factor. A scenario can therefore be replayed with one micro-dollar of the engine
standing for 10^-(6 + k) dollars. Scenarios that mint a few wei take k = 12, which makes every step exact to the wei;
the others k = FINE, or less where amounts would leave the range of an order (2^53 units), which shows that the rules
are upstream's to far less than a micro-dollar. With k = 0, the engine as it is used, each rounding of an input and
of a step costs up to a micro-dollar: the tolerances are then COARSE of them.
"""

from fractions import Fraction
from typing import Any

from kernels import codes
from tests import case
from tests.golden.gmx_convert import OURS, Scenario, Step, chosen

FINE = 4
COARSE = 10
_WEI = 12
_MOST = Fraction(2**53) * 8 / 10  # an order's range, and some room for what it moves
_SMALL = Fraction(1, 10**9)  # less than this of a token or of a dollar is meant in wei
_MOST_DECIMALS = 9
_LIMIT = 4 * 10**18


def floor(value: Fraction) -> int:
    """Whole units of a non-negative amount."""
    return value.numerator // value.denominator


def _amounts(step: Step) -> list[Fraction]:
    """Tokens and dollars that a step moves."""
    return [Fraction(step[key]) for key in ("units", "dollars", "size", "part") if key in step]


def _prices(scenario: Scenario) -> dict[str, tuple[Fraction, Fraction]]:
    """Lowest and highest price of each token."""
    out: dict[str, tuple[Fraction, Fraction]] = {}
    for step in scenario.steps:
        if step["do"] == "price" and Fraction(step["min"]) > 0:
            low, high = out.get(step["token"], (Fraction(step["min"]), Fraction(0)))
            out[step["token"]] = min(low, Fraction(step["min"])), max(high, Fraction(step["max"]))
    return out


def _largest(scenario: Scenario, prices: dict[str, tuple[Fraction, Fraction]]) -> tuple[Fraction, dict[str, Fraction]]:
    """Most dollars of one order, and most tokens of one order by token: orders have a range."""
    dollars, tokens = Fraction(0), dict.fromkeys(prices, Fraction(1))
    for step in scenario.steps:
        token = step.get("collateral", step.get("token"))
        value = max(Fraction(step.get("size", 0)), Fraction(step.get("dollars", 0)))
        if token in tokens:
            units = max(Fraction(0 if step["do"] == "remove" else step.get("units", 0)), value / prices[token][0])
            tokens[token] = max(tokens[token], units)
            value = max(value, units * prices[token][1])
        dollars = max(dollars, value)
    return dollars, tokens


class Units:
    """Conversion between the record's decimals and the engine's integers, per scenario."""

    def __init__(self, scenario: Scenario, fine: int = FINE) -> None:
        self.tokens: dict[str, dict[str, Any]] = {}
        for step in scenario.steps:
            if step["do"] == "token":
                self.tokens.setdefault(step["token"], step)
        self.prices = _prices(scenario)
        is_wei = any(0 < amount < _SMALL for step in scenario.steps for amount in _amounts(step))
        dollars, tokens = _largest(scenario, self.prices)
        is_wei = is_wei and dollars * 10 ** (6 + _WEI) < _MOST
        self.traded = sum((Fraction(step["size"]) for step in scenario.steps if step["do"] == "increase"), Fraction(0))
        self.k = _WEI if is_wei else fine
        while not is_wei and self.k > 0 and dollars * 10 ** (6 + self.k) >= _MOST:
            self.k -= 1
        self.coarse = COARSE if fine == 0 else 1
        self.decimals = {}
        for token, step in self.tokens.items():
            decimals = min(step["decimals"], self.k + (6 if is_wei else _MOST_DECIMALS))
            while not is_wei and decimals > self.k and tokens.get(token, 1) * 10**decimals >= _MOST:
                decimals -= 1
            self.decimals[token] = max(decimals - self.k, 0)

    def usd(self, value: Any) -> int:
        """Micro-dollars of the engine."""
        return min(floor(Fraction(value) * 10 ** (6 + self.k)), _LIMIT)

    def units(self, token: str, value: Any) -> int:
        """Book units of a token."""
        return min(floor(Fraction(value) * 10 ** (self.decimals[token] + self.k)), _LIMIT)

    def dollars(self, micro: int) -> Fraction:
        """Dollars of the record."""
        return Fraction(micro, 10 ** (6 + self.k))

    def amount(self, token: str, units: int) -> Fraction:
        """Tokens of the record."""
        return Fraction(units, 10 ** (self.decimals[token] + self.k))

    @property
    def usd_tolerance(self) -> Fraction:
        """A millionth of a dollar; nothing where a scenario is about wei."""
        return Fraction(0) if self.k == _WEI else Fraction(self.coarse, 10**6)

    @property
    def price_tolerance(self) -> Fraction:
        """Relative difference of a price."""
        return Fraction(self.coarse, 10**12)

    def token_tolerance(self, token: str) -> Fraction:
        """A billionth of a token, or one book unit; nothing where a scenario is about wei.

        Scenarios of another file than ours may differ by one unit of a token of few decimals, and by what the rounding
        of average entries moves: PnLs, and through the value of the pool all that LP tokens are worth. Ours do not.
        """
        least, decimals = Fraction(1, 10**9), self.decimals[token] + self.k
        unit = Fraction(1, 10 ** min(decimals, self.tokens[token]["decimals"]))
        if self.k == _WEI:
            return Fraction(0) if decimals <= self.tokens[token]["decimals"] else unit
        price = self.prices.get(token, (Fraction(1), Fraction(1)))[0]
        if self.coarse > 1:
            return max(unit, self.usd_tolerance / price)
        if chosen() == OURS:
            return least if decimals == self.tokens[token]["decimals"] else max(unit, least)
        return max(unit, least, self.traded * self.price_tolerance / price)


def price(value: Any) -> int:
    """Price at 1e10."""
    return floor(Fraction(value) * 10**10)


def custody_fields(
    units: Units, token: str, symbol: int, step: dict[str, Any], params: dict[str, Any]
) -> dict[str, int]:
    """Parameters of a token; low price in column `symbol`, high price in the next."""
    cap = units.usd(step.get("dollar_cap", params.get("dollar_cap", 0)))
    return case.custody(
        decimals=units.decimals[token],
        stable=int(step["stable"]),
        price_symbol=symbol,
        low_symbol=symbol,
        high_symbol=symbol + 1,
        ema_symbol=symbol,
        borrow_max=int(params["stable_rate" if step["stable"] else "rate"]),
        weight=int(step["weight"]),
        max_dollars_usd=cap,
    )


def market_fields(
    units: Units, custody: int, stable: int, symbol: int, step: dict[str, Any], params: dict[str, Any]
) -> dict[str, int]:
    """Parameters of the market of an index token: long on itself, short on a stable (custody -1: not offered)."""
    return case.market(
        price_symbol=symbol,
        low_symbol=symbol,
        high_symbol=symbol + 1,
        ema_symbol=symbol,
        long_custody=custody,
        short_custody=stable if step["shortable"] else -1,
        open_bps=int(params["margin_bps"]),
        close_bps=int(params["margin_bps"]),
        liquidation_bps=0,
        min_initial_leverage_bps=0,
        max_initial_leverage_bps=10**9,
        max_leverage_bps=int(params["max_leverage_bps"]),
        liquidation_fee_usd=units.usd(params["liquidation_fee"]),
        min_profit_bps=int(step["min_profit_bps"]),
    )


def pool_fields(params: dict[str, Any]) -> dict[str, int]:
    """Variants and numbers of the vault; the tracker of shorts is switched by the steps."""
    return case.pool(
        borrow=codes.BORROW_STEPWISE,
        interest=codes.INTEREST_CHARGED,
        trade_price=codes.PRICE_MIN_MAX,
        sizing=codes.SIZE_DOLLARS,
        margin=codes.MARGIN_POOLED,
        average_entry=codes.AVERAGE_PNL_PRESERVING,
        partial_close=codes.PARTIAL_REALISED,
        open_fee=codes.OPEN_FEE_FLAT,
        close_fee=codes.CLOSE_FEE_FLAT,
        fee_booking=codes.BOOK_RESERVE,
        profit=codes.PROFIT_UNCAPPED,
        liquidation=codes.LIQUIDATE_TWO_STATES,
        leftover=codes.LEFTOVER_POOL,
        shortfall=codes.SHORTFALL_REFUSED,
        oi_cap=codes.CAP_GUARANTEED,
        valuation=codes.VALUE_GUARANTEED,
        lp_fee=codes.LP_FEE_TAX_REBATE,
        swap_mode=codes.SWAP_TAX_REBATE,
        redeem_at_high=1,
        mint_counts_fee=0,
        min_collateral_usd=0,
        lp_share_bps=0,
        referrer_share_bps=0,
        lm_share_bps=0,
        protocol_share_bps=10_000,
        borrow_interval_s=int(params["interval_s"]),
        min_profit_s=int(params["min_profit_time_s"]),
        lp_cooldown_s=int(params["cooldown_s"]),
        mint_bps=int(params["mint_bps"]),
        swap_bps=int(params["swap_bps"]),
        stable_swap_bps=int(params["stable_swap_bps"]),
        tax_bps=int(params["tax_bps"]),
        stable_tax_bps=int(params["stable_tax_bps"]),
        dynamic_fees=int(params["dynamic_fees"]),
        sample_interval_us=10**17,
    )
