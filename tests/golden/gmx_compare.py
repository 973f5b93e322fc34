"""The engine's state and answers in the record's words and decimals, and their differences.

Tolerances: 1e-6 dollars, 1e-9 tokens or one book unit, prices 1e-12 relative or one unit of 1e-10, all else exact.
"""

from fractions import Fraction
from typing import Any

import numpy as np

from kernels import codes
from tests.golden import gmx_queries
from tests.golden.gmx_convert import Step
from tests.golden.gmx_reasons import agrees
from tests.golden.gmx_replay import Replay

_PRICE_UNIT = Fraction(1, 10**10)
_TOKENS = {"owned": "owned", "locked": "locked", "fees": "fees"}
_AVERAGES = {"short_average": "average_price", "tracker_average": "tracker_price"}
Key = tuple[str, str, str, str]
# Kept by nobody but the step that sets it; a token's clock starts with the first touch, ours with the pool.
_ONLY_WHEN_NAMED = ("clock",)


def near(name: str, found: Any, expected: Any, tolerance: Fraction | int = 0) -> list[str]:
    """One line if two numbers differ by more than the tolerance."""
    if abs(Fraction(found) - Fraction(expected)) <= tolerance:
        return []
    return [f"{name}: {float(found):.12g}, expected {expected} ({float(Fraction(found) - Fraction(expected)):+.3g})"]


class Compare:
    """What the record says of the pool so far, against the engine."""

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self.expected: dict[str, Any] = {}

    # Numbers of the engine ------------------------------------------------------------------------------------------

    def usd(self, name: str, micro: Any, expected: Any) -> list[str]:
        units = self.replay.units
        return near(name, units.dollars(int(micro)), expected, units.usd_tolerance)

    def tokens(self, name: str, token: str, found: Any, expected: Any) -> list[str]:
        units = self.replay.units
        return near(name, units.amount(token, int(found)), expected, units.token_tolerance(token))

    def price(self, name: str, found: int, expected: Any) -> list[str]:
        limit = max(abs(Fraction(expected)) * self.replay.units.price_tolerance, _PRICE_UNIT)
        return near(name, Fraction(int(found), 10**10), expected, limit)

    def _sides(self, index: str, direction: int) -> np.ndarray:
        numbers = [m for m, (traded, _) in enumerate(self.replay.markets) if traded == index]
        return self.replay.engine.venue.side[[2 * m + direction for m in numbers]]

    def guaranteed(self, token: str) -> int:
        sides = self._sides(token, codes.LONG)
        return int((sides["size_usd"] - sides["collateral_usd"]).sum())

    def average(self, index: str, column: str) -> int:
        """Average entry of all shorts of an index: of several markets the mean that keeps their joint PnL."""
        sides = self._sides(index, codes.SHORT)
        if len(sides) == 1:
            return int(sides[column][0])
        weighted = sum(Fraction(int(s["size_usd"]), int(s[column])) for s in sides if s["size_usd"] and s[column])
        # With the last short gone, an average stays where it was.
        return int(sides["size_usd"].sum() / weighted) if weighted else int(sides[column].max(initial=0))

    def _short_average(self, name: str, index: str, column: str, expected: Any) -> list[str]:
        """An average entry to the precision of a price, or to a hundredth of the dollars' that it stands for.

        Closing nearly all shorts enlarges what one rounding of the tracker's average has left.
        """
        found, size = self.average(index, column), int(self._sides(index, codes.SHORT)["size_usd"].sum())
        if size > 0 and Fraction(expected) > 0:
            worth = self.replay.units.dollars(size) * abs(1 - Fraction(found, 10**10) / Fraction(expected))
            if worth <= self.replay.units.usd_tolerance / 100:
                return []
        return self.price(name, found, expected)

    # State ----------------------------------------------------------------------------------------------------------

    def state(self, after: dict[str, Any]) -> list[str]:
        """Differences of everything the record has named so far; `after`: what this step has changed."""
        for name in _ONLY_WHEN_NAMED:
            self.expected = {key: value for key, value in self.expected.items() if not key.endswith(f" {name}")}
        self.expected |= after
        found: list[str] = []
        high, low = gmx_queries.pool_value(self.replay.engine)
        for name, value in self.expected.items():
            if name in ("aum_high", "aum_low"):
                found += self.usd(name, high if name == "aum_high" else low, value)
            elif name in ("dollar_supply", "lp_supply"):
                column = {"dollar_supply": "dollar_supply_usd"}.get(name, name)
                found += self.usd(name, self.replay.engine.venue.pool[column][0], value)
            elif name.startswith("position "):
                found += self._position(name, value)
            else:
                found += self._token(name, value)
        return found

    def _token(self, name: str, value: Any) -> list[str]:
        token, what = name.split(" ")
        custody = self.replay.custody(token)
        if what in _TOKENS:
            return self.tokens(name, token, custody[_TOKENS[what]], value)
        if what == "dollars":
            return self.usd(name, custody["dollars_usd"], value)
        if what == "guaranteed":
            return self.usd(name, self.guaranteed(token), value)
        if what == "shorts":
            return self.usd(name, self._sides(token, codes.SHORT)["size_usd"].sum(), value)
        if what in _AVERAGES:
            return self._short_average(name, token, _AVERAGES[what], value)
        if what == "funding_index":
            return near(name, Fraction(int(custody["cum_index"]), 1000), value)
        if what == "clock":
            return near(name, int(custody["last_update_s"]), value)
        return [f"{name}: no such state"]

    def _position(self, name: str, value: dict[str, Any] | None) -> list[str]:
        account, collateral, index, side = name.split(" ")[1:]
        rows, _ = self.replay.row((account, collateral, index, side))
        if value is None or not len(rows):
            return [] if (value is None) == (len(rows) == 0) else [f"{name}: {len(rows)} rows, expected {value}"]
        row, found = rows[0], []
        for key, wanted in value.items():
            label = f"{name} {key}"
            if key in ("size", "collateral", "pnl"):
                found += self.usd(label, row[f"{key}_usd"], wanted)
            elif key == "entry":
                found += self.price(label, row["entry_price"], wanted)
            elif key == "funding_index":
                found += near(label, Fraction(int(row["cum_snapshot"]), 1000), wanted)
            elif key == "locked":
                found += self.tokens(label, collateral, row["locked"], wanted)
            elif key == "increased":
                found += near(label, int(row["increased_s"]), wanted)
            else:
                found.append(f"{label}: no such field")
        return found

    # Questions ------------------------------------------------------------------------------------------------------

    def answer(self, step: Step) -> list[str]:
        """Differences of one view function's answer."""
        ask = getattr(self, f"_ask_{step['ask']}", None)
        return ask(step, step["is"]) if ask else [f"{step['ask']}: no such question"]

    def _ask_aum(self, step: Step, expected: Any) -> list[str]:
        high, low = gmx_queries.pool_value(self.replay.engine)
        return self.usd("aum", high if step["high"] else low, expected)

    def _key(self, step: Step) -> Key:
        return step["account"], step["collateral"], step["index"], step["side"]

    def _facts(self, step: Step) -> tuple[np.void, gmx_queries.PositionFacts]:
        rows, book = self.replay.row(self._key(step))
        custody = self.replay.tokens.index(step["collateral"])
        # Views use the index as stored by the last touch, ticks the one accrued by now.
        record = self.replay.engine.venue.custody
        record["index_now"][custody] = record["cum_index"][custody]
        return rows[0], gmx_queries.position(self.replay.engine, rows, book, custody)

    def _ask_leverage(self, step: Step, expected: Any) -> list[str]:
        rows, _ = self.replay.row(self._key(step))
        return near("leverage", int(rows[0]["size_usd"]) * 10_000 // int(rows[0]["collateral_usd"]), expected)

    def _ask_pnl(self, step: Step, expected: Any) -> list[str]:
        _, facts = self._facts(step)
        found = self.usd("pnl", abs(facts.gross_usd), expected["usd"])
        return found + near("pnl gain", facts.gained, expected["gain"])

    def _ask_margin_state(self, step: Step, expected: Any) -> list[str]:
        row, facts = self._facts(step)
        state = facts.state_for_new_risk if step["raise"] else facts.state
        if step["raise"] or "refused" in expected:
            reason, wanted = codes.REASONS[state], expected.get("refused", codes.REASONS[codes.OK])
            if not agrees(reason, wanted):
                return [f"margin state: {reason}, expected {wanted}"]
            if "state" not in expected:
                return []
        number = 0 if state == codes.OK else 2 if state == codes.MAX_LEVERAGE else 1
        fee = facts.owed_usd
        if state == codes.FEES_EXCEED_COLLATERAL:
            fee = int(row["collateral_usd"]) + facts.gross_usd
        return near("margin state", number, expected["state"]) + self.usd("margin fee", fee, expected["fee"])

    def _ask_redeemable(self, step: Step, expected: Any) -> list[str]:
        token, custody = step["token"], self.replay.custody(step["token"])
        low, high = int(custody["low"]), int(custody["high"])
        scale = 10 ** (self.replay.units.decimals[token] + 4)
        units = int(custody["owned"])
        if not custody["stable"]:
            units += self.guaranteed(token) * scale // high - int(custody["locked"])
        return self.usd("redeemable", units * low // scale, expected)

    def _ask_utilisation(self, step: Step, expected: Any) -> list[str]:
        custody = self.replay.custody(step["token"])
        owned = int(custody["owned"])
        return near("utilisation", int(custody["locked"]) * 10**6 // owned if owned else 0, expected)

    def _ask_target_e18(self, step: Step, expected: Any) -> list[str]:
        venue = self.replay.engine.venue
        supply, weights = int(venue.pool["dollar_supply_usd"][0]), int(venue.custody["weight"].sum())
        target = int(self.replay.custody(step["token"])["weight"]) * supply // weights
        units = self.replay.units
        return near("target", units.dollars(target) * 10**18, expected, units.usd_tolerance * 10**18)

    def _ask_fee_bps(self, step: Step, expected: Any) -> list[str]:
        change = self.replay.units.usd(Fraction(step["delta_e18"]) / 10**18)
        custody = self.replay.tokens.index(step["token"])
        change = change if step["grows"] else -change
        bps = gmx_queries.fee_bps(self.replay.engine, custody, step["base_bps"], step["tax_bps"], change)
        return near("fee bps", bps, expected)

    def _short_pnl(self, step: Step, column: str, expected: Any) -> list[str]:
        size = int(self._sides(step["token"], codes.SHORT)["size_usd"].sum())
        average, price = self.average(step["token"], column), int(self.replay.custody(step["token"])["high"])
        result = size * (average - price) // average if average else 0
        found = self.usd("shorts' pnl", abs(result), expected["usd"])
        # At a distance of less than a unit of price the sign is upstream's thirtieth digit.
        return found + (near("shorts gain", result > 0, expected["gain"]) if abs(average - price) > 1 else [])

    def _ask_tracker_pnl(self, step: Step, expected: Any) -> list[str]:
        return self._short_pnl(step, "tracker_price", expected)

    def _ask_short_pnl(self, step: Step, expected: Any) -> list[str]:
        return self._short_pnl(step, "average_price", expected)

    def _ask_balance(self, step: Step, expected: Any) -> list[str]:
        account, token = step["account"], step["token"]
        if token in ("glp", "usdg"):
            held = self.replay.lp_balance(account) if token == "glp" else self.replay.received[account, token]
            return self.usd(f"{account}'s {token}", held, expected)
        return self.tokens(f"{account}'s {token}", token, self.replay.received[account, token], expected)
