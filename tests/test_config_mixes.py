"""Mechanisms that do not go together, and numbers without the rule that reads them: refused, each with its reason."""

from pathlib import Path

import msgspec
import pytest

from backtest.config import leaves
from backtest.config_mixes import _NEEDS
from backtest.errors import UsageError
from backtest.mechanisms import FAMILIES, missing
from backtest.protocols import load_protocol
from backtest.provenance import matches
from tests.protocol_files import write


def refusal(name: str, *sets: str) -> str:
    """What a shipped protocol says to overrides, without the path of its file."""
    with pytest.raises(UsageError) as caught:
        load_protocol(name, sets)
    head, _, fault = str(caught.value).partition("with overrides: ")
    assert head.endswith(f"{name}.toml, ")
    return fault


# (a shipped protocol that is sound, overrides that break it, first words of what is said)
MIXES = [
    ("gmx-v1", ["mechanisms.margin=separate"], 'mechanisms.valuation = "guaranteed" does not go with margin = "sep'),
    ("gmx-v1", ["mechanisms.valuation=collective"], 'mechanisms.margin = "pooled" does not go with valuation = "coll'),
    ("gmx-v1", ["mechanisms.fee_booking=debt"], 'mechanisms.lp_fee = "tax_rebate" does not go with fee_booking = "'),
    ("gmx-v1", ["mechanisms.lp_fee=flat"], 'mechanisms.swap = "tax_rebate" does not go with lp_fee = "flat"'),
    ("gmx-v1", ["mechanisms.swap=whitelisted"], 'mechanisms.lp_fee = "tax_rebate" does not go with swap = "whi'),
    ("gmx-v1", ["mechanisms.open_fee=utilisation", "market.*.utilisation_mult_bps=1"],
     'mechanisms.open_fee = "utilisation" does not go with margin = "pooled"'),
    ("gmx-v1", ["mechanisms.close_fee=ema_tokens", "market.*.liquidation_bps=1"],
     'mechanisms.close_fee = "ema_tokens" does not go with margin = "pooled"'),
    ("gmx-v1", ["mechanisms.leftover=trader"], 'mechanisms.liquidation = "two_states" does not go with leftover = "tr'),
    ("gmx-v1", ["mechanisms.partial_close=pro_rata"],
     'mechanisms.shortfall = "refused" does not go with partial_close = "pro_rata"'),
    ("gmx-v1", ["mechanisms.interest=accrued"],
     'mechanisms.partial_close = "realised" does not go with interest = "accrued"'),
    ("gmx-v1", ["mechanisms.shortfall=absorbed"],
     'mechanisms.partial_close = "realised" does not go with shortfall = "absorbed"'),
    ("gmx-v1", ["mechanisms.fee_booking=protocol_reserve", "mechanisms.lp_fee=flat", "mechanisms.swap=none"],
     'mechanisms.fee_booking = "protocol_reserve" does not go with margin = "pooled"'),
    ("adrena-alp", ["mechanisms.average_entry=pnl_preserving"], 'mechanisms.average_entry = "pnl_preserving" does n'),
    ("adrena-alp", ["mechanisms.interest=charged"], 'mechanisms.interest = "charged" does not go with margin = "sepa'),
    ("adrena-alp", ["mechanisms.liquidation=two_states", "market.*.liquidation_fee_usd=5"],
     'mechanisms.liquidation = "two_states" does not go with margin = "separate"'),
    ("adrena-alp", ["mechanisms.shortfall=refused", "mechanisms.partial_close=realised"],
     'mechanisms.partial_close = "realised" does not go with margin = "separate"'),
    ("adrena-alp", ["mechanisms.oi_cap=guaranteed"], 'mechanisms.oi_cap = "guaranteed" does not go with margin = "s'),
    ("adrena-alp", ["mechanisms.borrow_base=locked_value"],
     'mechanisms.borrow_base = "locked_value" does not go with funding = "imbalance"'),
    ("adrena-alp", ["market.SOL.min_profit_bps=150"],
     "market.SOL.min_profit_bps = 150 holds within pool.min_profit_window_s, which is 0"),
    ("adrena-alp", ["market.SOL.spread_long_bps=3"], "market.SOL: spread_long_bps or spread_short_bps is set, but"),
    ("adrena-alp", ["market.SOL.liquidator_bps=3"], "market.SOL.liquidator_bps = 3 is a share of what the trader is p"),
    ("adrena-alp", ["pool.shorts_tracker=true"], "pool.shorts_tracker = true is read by mechanisms.valuation"),
    ("adrena-alp", ["pool.dynamic_fees=true"], "pool.dynamic_fees = true is read by mechanisms.lp_fee"),
    ("adrena-alp", ["fees.lp_share_joins=true"], "fees.lp_share_joins = true needs mechanisms.fee_booking"),
    ("gmx-v1", ["pool.shorts_tracker=true"], "pool.shorts_tracker_weight_bps is missing; shorts_tracker = true reads"),
    ("gmx-v1", ["pool.borrow_interval_s=0"], "pool.borrow_interval_s = 0 but mechanisms.borrow"),
    ("gmx-v1", ["custody.*.weight=0"], "custody.*.weight is 0 everywhere, but mechanisms.lp_fee"),
    ("gmx-v1", ["fees.referrer_share_bps=100"], "fees.referrer_share_bps = 100 is paid out of the fee debt"),
    ("gmx-v1", ["market.ETH.payoff_long_bps=5000"], "market.ETH: payoff_long_bps and payoff_short_bps must be 10000"),
    ("gmx-v1", ["market.ETH.long_custody=USDT"], 'market.ETH.long_custody = "USDT" is stable, but mechanisms.margin'),
    ("gmx-v1", ["market.ETH.liquidator_bps=3"], "market.ETH.liquidator_bps = 3 is a share of what the trader is p"),
    ("solana-labs", ["market.ETH.long_custody=USDC"], 'market.ETH.long_custody = "USDC" is stable, but mechanisms.siz'),
    ("solana-labs", ["custody.*.ratio_target_bps=0", "custody.*.ratio_min_bps=0"],
     'custody.*.ratio_target_bps is 0 everywhere, but mechanisms.lp_fee = "linear"'),
    ("jupiter", ["market.SOL.impact_threshold_usd=0"], "market.SOL.impact_factor_bps is set but impact_threshold_us"),
    ("jupiter", ["market.SOL.impact_exponent=0"], "market.SOL.impact_exponent = 0 makes the impact of every flow th"),
    ("jupiter", ["market.SOL.impact_max_bps=5"], "market.SOL.impact_max_bps = 5 is below the base fee; it caps"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "sets", "fault"), MIXES)
def test_a_mix_that_makes_no_sense_is_refused_with_its_reason(name: str, sets: list[str], fault: str) -> None:
    assert refusal(name, *sets).startswith(fault)


def test_every_rule_between_two_mechanisms_is_tried_above() -> None:
    rules = {f'mechanisms.{family} = "{variant}"' for family, variant, *_ in _NEEDS}
    tried = {fault[: fault.index('" ') + 1] for _, _, fault in MIXES if fault.startswith("mechanisms.")}
    assert rules == tried


def test_rules_name_families_and_variants_that_exist() -> None:
    for family, variant, other, allowed, why in _NEEDS:
        assert variant in FAMILIES[family].variants
        assert set(allowed) < set(FAMILIES[other].variants)
        assert why[0].islower()


def test_a_refused_mix_says_what_to_set() -> None:
    assert refusal("adrena-alp", "mechanisms.interest=charged").endswith(
        ': a separate margin keeps what is owed beside the position until it closes; set margin = "pooled", or another '
        "interest"
    )


VARIANTS = [(family, variant) for family, entry in FAMILIES.items() for variant in entry.variants]


@pytest.mark.parametrize(("family", "variant"), VARIANTS)
def test_what_a_variant_needs_and_a_file_leaves_out_is_named(tmp_path: Path, family: str, variant: str) -> None:
    sound = load_protocol(write(tmp_path))
    chosen = msgspec.structs.replace(sound.mechanisms, **{family: variant})
    found = list(missing(msgspec.structs.replace(sound, mechanisms=chosen)))
    given = leaves(sound)
    wanted = {
        path
        for pattern in FAMILIES[family].variants[variant].needs
        for path in given
        if matches(pattern, path) and given[path] is None
    }
    assert {fault.split(" is missing; ")[0] for fault in found} == wanted
    said = f'; mechanisms.{family} = "{variant}" reads it; add it: '
    assert all(said in fault for fault in found)
