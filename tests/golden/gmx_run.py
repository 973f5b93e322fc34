"""Every step of a scenario, executed and compared."""

from fractions import Fraction
from typing import Any

from kernels import codes
from tests.golden.gmx_compare import Compare, near
from tests.golden.gmx_convert import Scenario, Step
from tests.golden.gmx_reasons import BOUND, NO_TRIGGER, agrees
from tests.golden.gmx_replay import Replay, Row
from tests.golden.gmx_setup import FINE

_SETTINGS = ("token", "price", "buffer", "tracker", "tracker_weight", "short_cap", "long_cap", "params", "ask")


class Run:
    """One scenario under way: `differences` grows by a line per number that is not the record's."""

    def __init__(self, scenario: Scenario, fine: int) -> None:
        self.scenario = scenario
        self.replay = Replay(scenario, fine)
        self.compare = Compare(self.replay)
        acting = [step for step in scenario.steps if step["do"] != "ask"]
        self.named = {step[key] for step in acting for key in ("account", "receiver") if key in step}

    def differences(self) -> list[str]:
        """Replay all steps."""
        found: list[str] = []
        for number, step in enumerate(self.scenario.steps):
            place = f"{self.scenario.name} step {number} {step['do']} {step.get('ask', '')}"
            found += [f"{place}: {text}" for text in self._step(step)]
        return found

    def _step(self, step: Step) -> list[str]:
        self.replay.set_time(step)
        if step["do"] in _SETTINGS or step["do"].startswith("set_"):
            self._set(step)
            self.replay.listen(step)
            if step["do"] == "ask":
                return [] if self._is_unknowable(step) else self.compare.answer(step)
            return self.compare.state(step.get("after", {}))
        act = getattr(self, f"_{step['do']}", None)
        if act is None:
            return ["no such step; teach tests/golden/gmx_run.py"]
        _, reason, found = act(step)
        if "refused" in step:
            if not agrees(reason, step["refused"]):
                found.append(f"refused {reason or 'not at all'}, expected {step['refused']}")
        elif reason:
            found.append(f"refused {reason}")
        self.replay.listen(step)
        return found + self.compare.state(step.get("after", {}))

    def _is_unknowable(self, step: Step) -> bool:
        """What an account owns that no step names is not in the record."""
        return step["ask"] == "balance" and step["account"] not in self.named

    def _set(self, step: Step) -> None:
        replay, do = self.replay, step["do"]
        if do == "ask":
            return
        if do == "price":
            replay.set_price(step)
            return
        if do == "token":
            replay.set_token(step)
        elif do == "buffer":
            replay.custody_set[step["token"]]["buffer_units"] = replay.units.units(step["token"], step["amount"])
        elif do == "tracker":
            replay.tracker_ready = bool(step["value"])
        elif do == "tracker_weight":
            replay.pool_set["tracker_weight_bps"] = int(step["value"])
        elif do in ("short_cap", "long_cap"):
            column = "max_cumulative_short_usd" if do == "short_cap" else "max_cumulative_long_usd"
            replay.market_set[step["token"]][column] = replay.units.usd(step["amount"])
        else:
            values = {key: value for key, value in step.items() if key in replay.params}
            assert values, f"{step}: sets nothing that is known"
            replay.params = replay.params | values
        replay.apply()

    # Positions ------------------------------------------------------------------------------------------------------

    def _increase(self, step: Step) -> tuple[list[Row], str, list[str]]:
        events, reason = self.replay.trade(step, self.compare._key(step))
        gives = step.get("gives", {})
        if reason or not gives:
            return events, reason, []
        event, fee = events[0], events[0]["open_fee_usd"] + events[0]["borrow_fee_usd"]
        found = self.compare.price("price", event["price"], gives["price"]) + self.compare.usd("fee", fee, gives["fee"])
        came = event["collateral_usd"] + fee
        return events, reason, found + self.compare.usd("collateral in", came, gives["collateral_in_usd"])

    def _decrease(self, step: Step) -> tuple[list[Row], str, list[str]]:
        events, reason = self.replay.trade(step, self.compare._key(step))
        if reason:
            return events, reason, []
        return events, reason, self._paid(step, events[0], step.get("gives", {}))

    def _paid(self, step: Step, event: Row, gives: dict[str, Any]) -> list[str]:
        """Differences of a decrease, or of a close by the keepers that pays the trader."""
        token, compare = step["collateral"], self.compare
        self.replay.received[gives.get("paid_to", step.get("receiver", "")), token] += event["trader_out_units"]
        fee, pnl = event["exit_fee_usd"] + event["borrow_fee_usd"], event["pnl_usd"]
        is_full = event["kind"] != codes.K_DECREASE and event["kind"] != codes.K_WITHDRAW_COLLATERAL
        part = 0 if is_full else self.replay.units.usd(step["part"])
        # What of the collateral has gone neither to a loss nor to the trader has paid the fee.
        from_margin = 0 if is_full else -event["collateral_usd"] - max(-pnl, 0) - part
        found: list[str] = []
        for key, value in gives.items():
            if key in ("price", "mark_price"):
                found += self.compare.price(key, event["price"], value)
            elif key == "fee":
                found += compare.usd(key, fee, value)
            elif key == "fee_from_payout":
                found += compare.usd(key, fee - from_margin, value)
            elif key == "fee_units":
                found += compare.tokens(key, token, event["fee_units"], value)
            elif key == "out":
                found += compare.tokens(key, token, event["trader_out_units"], value)
            elif key == "pnl":
                found += compare.usd(key, pnl if value["gain"] else -pnl, value["usd"])
            elif key not in ("paid_to", "kind"):
                found.append(f"{key}: no such result")
        return found

    def _liquidate(self, step: Step) -> tuple[list[Row], str, list[str]]:
        events, reason = self.replay.liquidate(self.compare._key(step), bool(step.get("tracked")))
        gives = step.get("gives", {})
        if reason or not events:
            return events, reason, []
        event, token, compare = events[0], step["collateral"], self.compare
        is_paid = event["liquidator_usd"] == 0
        found = near("state", 2 if is_paid else 1, 2 if "2" in gives.get("kind", "1") else 1)
        if is_paid:
            return events, reason, found + self._paid(step, event, gives)
        self.replay.received[gives.get("paid_to", step["receiver"]), token] += event["fees_out_units"]
        fee = event["exit_fee_usd"] + event["borrow_fee_usd"]
        found += compare.usd("fee", fee, gives["fee"])
        found += compare.tokens("fee units", token, event["fee_units"], gives["fee_units"])
        found += compare.tokens("out", token, event["fees_out_units"], gives["out"])
        return events, reason, found + self.compare.price("mark price", event["price"], gives["mark_price"])

    def _accrue(self, step: Step) -> tuple[list[Row], str, list[str]]:
        custody = self.replay.tokens.index(step["collateral"])
        events, reason = self.replay.settle({"action": codes.ACCRUE, "custody": custody})
        return events, "" if reason == NO_TRIGGER else reason, []

    # Liquidity ------------------------------------------------------------------------------------------------------

    def _units(self, step: Step) -> int:
        return self.replay.units.units(step["token"], step["units"]) if step["token"] in self.replay.listed else 0

    def _donate(self, step: Step) -> tuple[list[Row], str, list[str]]:
        return *self.replay.move(step, codes.DONATE, amount_units=self._units(step)), []

    def _pay_fees(self, step: Step) -> tuple[list[Row], str, list[str]]:
        events, reason = self.replay.move(step, codes.DISTRIBUTE_FEES)
        receiver = step.get("receiver") or self._next_asked(step)
        self.named.add(receiver)
        self.replay.received[receiver, step["token"]] += sum(event["fees_out_units"] for event in events)
        return events, reason, []

    def _next_asked(self, step: Step) -> str:
        """The record does not say who is paid: it is the account that is asked for next."""
        rest = self.scenario.steps[self.scenario.steps.index(step) :]
        asked = (s["account"] for s in rest if s.get("ask") == "balance" and s["token"] == step["token"])
        return next(asked, "")

    def _fee(self, name: str, bps: int, gross: int, fee: int) -> list[str]:
        """The fee of so many basis points, what is left floored."""
        return near(f"{name} of {bps} bps", fee, gross - gross * (10_000 - bps) // 10_000)

    def _issue(self, step: Step) -> tuple[list[Row], str, list[str]]:
        units = self._units(step)
        before = int(self.replay.custody(step["token"])["dollars_usd"]) if step["token"] in self.replay.tokens else 0
        events, reason = self.replay.move(step, codes.ISSUE_DOLLARS, amount_units=units)
        gives = step.get("gives", {})
        if reason or not gives:
            return events, reason, []
        minted = int(self.replay.custody(step["token"])["dollars_usd"]) - before
        self.replay.received[step["receiver"], "usdg"] += minted
        found = self.compare.usd("dollars", minted, gives["dollars"])
        return events, reason, found + self._fee("fee", gives["fee_bps"], units, events[0]["fee_units"])

    def _redeem(self, step: Step) -> tuple[list[Row], str, list[str]]:
        dollars = self.replay.units.usd(step["dollars"])
        events, reason = self.replay.move(step, codes.REDEEM_DOLLARS, size_usd=dollars)
        gives = step.get("gives", {})
        if reason:
            return events, reason, []
        event, found = events[0], []
        self.replay.received[step["receiver"], step["token"]] += event["trader_out_units"]
        if "out" in gives:
            found += self.compare.tokens("out", step["token"], event["trader_out_units"], gives["out"])
        if "fee_bps" in gives:
            gross = event["trader_out_units"] + event["fee_units"]
            found += self._fee("fee", gives["fee_bps"], gross, event["fee_units"])
        return events, reason, found

    def _add(self, step: Step) -> tuple[list[Row], str, list[str]]:
        return self._liquidity(step, codes.ADD_LIQUIDITY, self._units(step))

    def _remove(self, step: Step) -> tuple[list[Row], str, list[str]]:
        return self._liquidity(step, codes.REMOVE_LIQUIDITY, self.replay.units.usd(step["units"]))

    def _liquidity(self, step: Step, action: int, amount: int) -> tuple[list[Row], str, list[str]]:
        """LP tokens minted or burnt. The sender's least amounts are tested here: on a copy of the pool's state."""
        replay, compare, gives = self.replay, self.compare, step.get("gives", {})
        pool, copies = replay.engine.venue.pool, replay.copy_state()
        replay.listen(step)
        found: list[str] = []
        for name, value in (("aum_before", None), ("lp_before", int(pool["lp_supply"][0]))):
            if name in gives:
                found += compare._ask_aum({"high": action == codes.ADD_LIQUIDITY}, gives[name]) if value is None else []
                found += compare.usd(name, value, gives[name]) if value is not None else []
        dollars = int(pool["dollar_supply_usd"][0])
        events, reason = replay.move(step, action, amount_units=amount)
        if reason:
            return events, reason, found
        event, token = events[0], step["token"]
        moved = abs(int(pool["dollar_supply_usd"][0]) - dollars)
        if self._is_too_little(step, moved, event):
            replay.restore(copies)
            return events, BOUND, found
        replay.received[step.get("receiver", step["account"]), token] += event["trader_out_units"]
        if "dollars" in gives:
            found += compare.usd("dollars", moved, gives["dollars"])
        if "lp" in gives:
            found += compare.usd("lp", event["lp_units"], gives["lp"])
        if "out" in gives:
            found += compare.tokens("out", token, event["trader_out_units"], gives["out"])
        return events, reason, found

    def _is_too_little(self, step: Step, dollars: int, event: Row) -> bool:
        units = self.replay.units
        pairs = (
            ("least_dollars", units.dollars(dollars)),
            ("least_lp", units.dollars(abs(event["lp_units"]))),
            ("least_out", units.amount(step["token"], event["trader_out_units"])),
        )
        return any(key in step and given < Fraction(step[key]) for key, given in pairs)

    def _swap(self, step: Step) -> tuple[list[Row], str, list[str]]:
        events, reason = self.replay.move(step, codes.SWAP, amount_units=self._units(step))
        gives, token = step.get("gives", {}), step["token_out"]
        if reason:
            return events, reason, []
        event = next(event for event in events if event["kind"] == codes.K_SWAP_OUT)
        net, fee = event["trader_out_units"], event["fee_units"]
        self.replay.received[step["receiver"], token] += net
        if not gives:
            return events, reason, []
        found = self.compare.tokens("out", token, net + fee, gives["out"])
        found += self.compare.tokens("net", token, net, gives["net"])
        return events, reason, found + self._fee("fee", gives["fee_bps"], net + fee, fee)


def differences(scenario: Scenario, fine: int = FINE) -> list[str]:
    """Lines of what is not as recorded; none if all is. `fine`: see gmx_setup."""
    return Run(scenario, fine).differences()
