"""GMX v1's recorded scenarios, in their original form or ours, as the steps that the runner reads.

Ours is a file of JSON lines: a line that names a scenario and its parameters, then one line per step. Numbers stay
the exact decimal strings of the record; keys are the words of this project, refusals our reasons. What a step leaves
unmentioned has not changed. `python -m tests.golden.gmx_convert ORIGINAL OURS` converts.
"""

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.golden.gmx_reasons import reasons

Step = dict[str, Any]
HERE = Path(__file__).parent
OURS = HERE / "gmx_v1.jsonl"

OPS = {
    "set_token_config": "token",
    "set_price": "price",
    "buy_usdg": "issue",
    "sell_usdg": "redeem",
    "increase_position": "increase",
    "decrease_position": "decrease",
    "liquidate_position": "liquidate",
    "direct_pool_deposit": "donate",
    "update_funding": "accrue",
    "withdraw_fees": "pay_fees",
    "add_liquidity": "add",
    "remove_liquidity": "remove",
    "shorts_tracker_ready": "tracker",
    "set_shorts_tracker_weight_bps": "tracker_weight",
    "set_buffer_amount": "buffer",
    "set_max_global_short_size": "short_cap",
    "set_max_global_long_size": "long_cap",
    "check": "ask",
}
# Keys of steps, results and states; a key not listed keeps its name.
WORDS = {
    # parameters
    "mint_burn_fee_bps": "mint_bps",
    "swap_fee_bps": "swap_bps",
    "stable_swap_fee_bps": "stable_swap_bps",
    "margin_fee_bps": "margin_bps",
    "has_dynamic_fees": "dynamic_fees",
    "funding_interval_s": "interval_s",
    "funding_rate_factor": "rate",
    "stable_funding_rate_factor": "stable_rate",
    "liquidation_fee_usd": "liquidation_fee",
    "max_usdg_amount": "dollar_cap",
    "is_stable": "stable",
    "is_shortable": "shortable",
    # steps
    "collateral_token": "collateral",
    "index_token": "index",
    "collateral_in": "units",
    "amount_in": "units",
    "glp_amount": "units",
    "usdg_in": "dollars",
    "size_delta_usd": "size",
    "collateral_delta_usd": "part",
    "fee_receiver": "receiver",
    "token_in": "token",
    "token_out": "token_out",
    "min_usdg": "least_dollars",
    "min_glp": "least_lp",
    "min_out": "least_out",
    "usdg_delta_wei": "delta_e18",
    "increment": "grows",
    "maximise": "high",
    # results
    "usdg_minted": "dollars",
    "usdg_amount": "dollars",
    "glp_minted": "lp",
    "aum_in_usdg_before": "aum_before",
    "glp_supply_before": "lp_before",
    "amount_out": "out",
    "amount_out_after_fees": "net",
    "fee_usd": "fee",
    "margin_fee_usd": "fee",
    "margin_fees_usd": "fee",
    "margin_fee_tokens": "fee_units",
    "fee_usd_deducted_from_payout": "fee_from_payout",
    "realised": "pnl",
    "has_profit": "gain",
    "delta_usd": "usd",
    # states
    "pool_amount": "owned",
    "reserved_amount": "locked",
    "guaranteed_usd": "guaranteed",
    "fee_reserve": "fees",
    "cumulative_funding_rate": "funding_index",
    "last_funding_time": "clock",
    "global_short_size_usd": "shorts",
    "global_short_average_price": "short_average",
    "shorts_tracker_average_price": "tracker_average",
    "usdg_supply": "dollar_supply",
    "glp_supply": "lp_supply",
    "aum_max_usd": "aum_high",
    "aum_min_usd": "aum_low",
    "size_usd": "size",
    "collateral_usd": "collateral",
    "average_price": "entry",
    "entry_funding_rate": "funding_index",
    "reserve_amount": "locked",
    "realised_pnl_usd": "pnl",
    "last_increased_time": "increased",
}
# In a result this is not what is taken out but what came in, in dollars.
_IN_RESULTS = {"collateral_delta_usd": "collateral_in_usd"}
QUERIES = {
    "aum_in_usdg": "aum",
    "aum_usd": "aum",
    "position_leverage_bps": "leverage",
    "position_delta": "pnl",
    "redemption_collateral_usd": "redeemable",
    "utilisation_ppm": "utilisation",
    "target_usdg_amount_wei": "target_e18",
    "fee_basis_points": "fee_bps",
    "validate_liquidation": "margin_state",
    "shorts_tracker_global_short_delta": "tracker_pnl",
    "global_short_delta": "short_pnl",
}


@dataclass
class Vector:
    """One recorded call of ShortsTracker getNextGlobalAveragePrice: numbers in, numbers out."""

    name: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


@dataclass
class Scenario:
    """One recorded test: where it is from, its first parameters, its steps."""

    name: str
    source: str
    params: dict[str, Any]
    steps: list[Step] = field(default_factory=list)


def _words(values: dict[str, Any]) -> dict[str, Any]:
    return {WORDS.get(key, key): _words(v) if isinstance(v, dict) else v for key, v in values.items()}


def _state(values: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in values.items():
        head, _, tail = key.partition(".")
        if head == "position":
            out[" ".join(["position", *tail.split(".")])] = value and _words(value)
        elif tail:
            out[f"{head} {'dollars' if tail == 'usdg_amount' else WORDS.get(tail, tail)}"] = value
        else:
            out[WORDS.get(head, head)] = value
    return out


def _step(original: Step) -> Step:
    known = {"op", "query", "state", "result", "error", "expect", "via"}
    step: Step = {"do": OPS.get(original["op"], original["op"])}
    if "query" in original:
        step["ask"] = QUERIES.get(original["query"], original["query"])
    step |= _words({key: value for key, value in original.items() if key not in known})
    # A sale's token is the one that goes out, a swap's the one that comes in.
    if original["op"] == "remove_liquidity":
        step["token"] = step.pop("token_out")
    if "via" in original:
        step["tracked"] = True
    if "result" in original:
        step["gives"] = _words({_IN_RESULTS.get(key, key): value for key, value in original["result"].items()})
    if "expect" in original:
        expected = original["expect"]
        step["is"] = _words(expected) if isinstance(expected, dict) else expected
        if isinstance(expected, dict) and "error" in expected:
            step["is"] = {"refused": reasons(expected["error"])}
    if "error" in original:
        step["refused"] = reasons(original["error"])
    if "state" in original:
        step["after"] = _state(original["state"])
    return step


def from_original(document: dict[str, Any]) -> tuple[list[Scenario], list[Vector]]:
    """Scenarios and vectors of the recorded form."""
    scenarios = []
    for item in document["scenarios"]:
        source = item.get("source", {})
        place = f"{source.get('path', '')}: {source.get('test', item.get('name', ''))}"
        steps = [_step(step) for step in item["steps"]]
        scenarios.append(Scenario(item["id"], place, _words(item["params"]), steps))
    vectors = [Vector(item["id"], item["inputs"], item["expect"]) for item in document.get("vectors", [])]
    return scenarios, vectors


def load(path: Path) -> tuple[list[Scenario], list[Vector]]:
    """Scenarios and vectors of a file in either form."""
    text = path.read_text(encoding="utf-8")
    if not text.startswith('{"scenario"'):
        return from_original(json.loads(text))
    scenarios: list[Scenario] = []
    vectors: list[Vector] = []
    for line in text.splitlines():
        row = json.loads(line)
        if "scenario" in row:
            scenarios.append(Scenario(row["scenario"], row["source"], row["params"]))
        elif "vector" in row:
            vectors.append(Vector(row["vector"], row["inputs"], row["outputs"]))
        else:
            scenarios[-1].steps.append(row)
    return scenarios, vectors


def save(scenarios: list[Scenario], vectors: list[Vector], path: Path) -> None:
    """Write our form."""
    rows: list[dict[str, Any]] = []
    for item in scenarios:
        rows.append({"scenario": item.name, "source": item.source, "params": item.params})
        rows += item.steps
    rows += [{"vector": item.name, "inputs": item.inputs, "outputs": item.outputs} for item in vectors]
    path.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows), encoding="utf-8")


def chosen() -> Path:
    """The file to run: PERPOOL_GMX_GOLDEN (either form), else ours."""
    return Path(os.environ.get("PERPOOL_GMX_GOLDEN", OURS))


if __name__ == "__main__":
    save(*load(Path(sys.argv[1])), Path(sys.argv[2]))
