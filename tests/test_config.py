"""Protocol files: what is refused and with which words, `extends`, and overrides."""

from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from backtest.config import Custody, Mechanisms, Override, Protocol
from backtest.errors import UsageError
from backtest.protocols import find_protocol, load_protocol
from backtest.provenance import provenance, unstated
from kernels import codes, state
from tests.protocol_files import changed, write


def load(folder: Path, *changes: tuple[str, str], sets: tuple[str, ...] = ()) -> Protocol:
    return load_protocol(write(folder, changed(*changes)), sets)


# (changes to the file, message after "<file>: ")
FAULTS = [
    ([("swap =", "swop =")], "mechanisms.swop is not a key that exists; did you mean 'swap'?"),
    ([('name = "small"', 'title = "x"')], "name is missing; add it: text in quotes"),
    ([('borrow = "linear"', 'borrow = "linaer"')],
     'mechanisms.borrow = "linaer" is not possible; give one of "jump", "kink", "linear", "stepwise", "two_slope"; '
     "did you mean 'linear'?"),
    ([("decimals = 6", "decimals = 10")],
     "custody.USDC.decimals = 10 is not possible; give a whole number of decimal places from 0 to 9"),
    ([("decimals = 6", "decimals = 6.0")],
     "custody.USDC.decimals = 6.0 is not possible; give a whole number of decimal places from 0 to 9"),
    ([("stable = true", "stable = 1")], "custody.USDC.stable = 1 is not possible; give true or false"),
    ([("stable = true\n", "")], "custody.USDC.stable is missing; add it: true or false"),
    ([("conf_bps = 25", "conf_bps = 10_000")],
     "custody.jitoSOL.conf_bps = 10000 is not possible; give a whole number of basis points from 0 to 9,999"),
    ([("conf_bps = 25", "confbps = 25")],
     "custody.jitoSOL.confbps is not a key that exists; did you mean 'conf_bps'?"),
    ([("= 0.00008", "= 0.00000000005")],
     "custody.USDC.max_borrow_per_hour = 0.00000000005 is not possible; give a number of the notional per hour "
     "(0.0001 is 0.01 %) from 0 to 1, with at most 9 decimal places"),
    ([("= 0.00008", "= nan")],
     "custody.USDC.max_borrow_per_hour = nan is not possible; give a number of the notional per hour (0.0001 is "
     "0.01 %) from 0 to 1"),
    ([("= 0.00008", '= "8e-5"')],
     'custody.USDC.max_borrow_per_hour = "8e-5" is not possible; give a number of the notional per hour (0.0001 is '
     "0.01 %) from 0 to 1"),
    ([("max_initial_leverage = 100", "max_initial_leverage = 0.5")],
     "market.SOL.max_initial_leverage = 0.5 is not possible; give a number of x from 1 to 10,000"),
    ([("max_leverage = 200.5", "max_leverage = 50")],
     "market.SOL.max_initial_leverage = 100x is above max_leverage = 50x; "
     "a position could open and be liquidated at once"),
    ([("close_bps = 16", "close_bps = 16\nmin_initial_leverage = 101")],
     "market.SOL.min_initial_leverage = 101x is above max_initial_leverage = 100x; no position could open"),
    ([("lp_share_bps = 7000", "lp_share_bps = 7001")],
     "fees: lp_share_bps 7001 + lm_share_bps 2000 + protocol_share_bps 1000 = 10001, not 10000; "
     "the three share the whole fee"),
    ([("referrer_share_bps = 1000", "referrer_share_bps = 3001")],
     "fees.referrer_share_bps = 3001 is more than lm_share_bps + protocol_share_bps = 3000; "
     "the referrer is paid out of these two"),
    ([("max_borrow_per_hour = 0.00008\n", "")],
     'custody.USDC.max_borrow_per_hour is missing; mechanisms.borrow = "linear" reads it; add it: a number of the '
     "notional per hour (0.0001 is 0.01 %) from 0 to 1"),
    ([("liquidation_bps = 16\n", "")],
     'market.SOL.liquidation_bps is missing; mechanisms.close_fee = "fixed_at_open" reads it; add it: a whole number '
     "of basis points from 0 to 10,000"),
    ([("max_initial_leverage = 100\n", "")],
     'market.SOL.max_initial_leverage is missing; mechanisms.liquidation = "max_leverage" reads it; add it: a number '
     "of x from 1 to 10,000"),
    ([('long_custody = "jitoSOL"', 'long_custody = ""'), ('short_custody = "USDC"', 'short_custody = ""')],
     "market.SOL: neither long_custody nor short_custody is named, so no side is offered; name one, or drop the row"),
    ([("conf_bps = 25", 'conf_bps = 25\npeg = "capped"')],
     'custody.jitoSOL.peg = "capped" but the custody is not stable; only a stable is taken for a dollar'),
    ([("conf_bps = 25", 'conf_bps = 25\nprice = "SOL.low"')],
     'custody.jitoSOL.price = "SOL.low" is named like a part of a quote; rename it'),
    ([("conf_bps = 25", "conf_bps = 25\nmin_borrow_per_year_bps = 900\nmax_borrow_per_year_bps = 300")],
     "custody.jitoSOL: min, target and max_borrow_per_year_bps are 900, 300; they must not fall"),
    ([("conf_bps = 25", "conf_bps = 25\nfee_optimal_bps = 20\nfee_max_bps = 10")],
     "custody.jitoSOL.fee_optimal_bps = 20 is above fee_max_bps = 10; swap them"),
    ([("decimals = 6", "decimals = 2\nbuffer_tokens = 0.125")],
     "custody.USDC.buffer_tokens = 0.125 is finer than the token's 2 decimals; round it"),
    ([("close_bps = 16", "close_bps = 16\npayoff_short_bps = 20_000")],
     "market.SOL.payoff_short_bps = 20000 is above 10000; a short cannot win more than its notional, so more would be "
     "locked than it can be paid"),
    ([("close_bps = 16", "close_bps = 16\nimpact_exponent = 11")],
     "market.SOL.impact_exponent = 11 is not possible; give a number from 0 to 10"),
    ([("referrer_share_bps = 1000", 'distribution_custody = "USDT"')],
     "fees.distribution_custody = \"USDT\" is not a custody; did you mean 'USDC'?"),
    ([("referrer_share_bps = 1000", 'distribution_custody = "jitoSOL"')],
     'fees.distribution_custody = "jitoSOL" is not stable; debts in dollars are paid one to one in a stable'),
    ([('close_fee = "fixed_at_open"', 'close_fee = "age_tiers"')],
     'fees.close_fee_tiers is empty but mechanisms.close_fee = "age_tiers" reads it; add tiers'),
    ([("referrer_share_bps = 1000", "close_fee_tiers = [{until_s=60, multiplier=2}, {until_s=60, multiplier=3}]")],
     "fees.close_fee_tiers: until_s must rise from tier to tier and be above 0, not 60, 60; sort them"),
    ([("referrer_share_bps = 1000", "close_fee_tiers = [" + "{until_s=1, multiplier=1}," * 4 + "]")],
     "fees.close_fee_tiers has 4 tiers; at most 3 are possible"),
    ([("referrer_share_bps = 1000", "close_fee_tiers = [{until_s=60, multiplier=2, x=1}]")],
     "fees.close_fee_tiers[0].x is not a key that exists; known: until_s, multiplier"),
    ([('long_custody = "jitoSOL"', 'long_custody = "jitosol"')],
     'market.SOL.long_custody = "jitosol" is not a custody; did you mean \'jitoSOL\'?'),
    ([('short_custody = "USDC"', 'short_custody = "jitoSOL"')],
     'market.SOL.short_custody = "jitoSOL" is not stable; shorts lock dollars, name a stable custody'),
    ([('symbol = "jitoSOL"', 'symbol = "USDC"'), ('long_custody = "jitoSOL"', 'long_custody = "USDC"')],
     "custody names USDC twice; keep one"),
    ([('symbol = "SOL"', 'symbol = "SOL.x"')],
     'market symbol "SOL.x" is not possible; use letters, digits, - and _'),
    ([("decimals = 6", "decimals = 6\nmid_borrow_per_hour = 0.0001")],
     "custody.USDC.mid_borrow_per_hour = 0.0001 is above max_borrow_per_hour = 0.00008; "
     "the rate at the kink cannot exceed the rate at full utilisation"),
    ([('borrow = "linear"', 'borrow = "two_slope"')],
     'custody.USDC: mechanisms.borrow = "two_slope" with mid_borrow_per_hour 0 at optimal_utilisation_bps 10000 '
     "never charges; set both"),
    ([('funding = "none"', 'funding = "imbalance"')],
     'market.*: mechanisms.funding = "imbalance" never charges, as max_funding_per_hour or funding_sensitivity_bps '
     "is 0 in every market; set both"),
    ([("decimals = 6", "decimals = 6\nratio_target_bps = 3000")],
     "custody.*.ratio_target_bps: USDC 3000 + jitoSOL 0 = 3000, not 10000; targets are shares of the pool (or all 0)"),
    ([("decimals = 6", "decimals = 6\nratio_target_bps = 3000\nratio_min_bps = 4000")],
     "custody.USDC.ratio_target_bps = 3000 is outside ratio_min_bps..ratio_max_bps = 4000..10000; "
     "the target lies between the two"),
    ([("decimals = 6", "decimals = 6\nratio_min_bps = 4000\nratio_max_bps = 3000")],
     "custody.USDC.ratio_min_bps = 4000 is above ratio_max_bps = 3000; swap them"),
    ([("decimals = 6", "decimals = 2\nminimum_tokens = 0.125")],
     "custody.USDC.minimum_tokens = 0.125 is finer than the token's 2 decimals; round it"),
    ([('name = "small"', 'name = "small"\nas_of = "soon"')], 'as_of = "soon" is not a date; write 2024-10-01'),
    ([('name = "small"', 'name = "small"\ncustody = 3\n[x]\n[[x.y]]')], None),
    ([('name = "small"', 'name = "small"\npool = 3')], "pool = 3 is not possible; give a table"),
    ([('name = "small"', 'name = "small"\noverrides = []')],
     "overrides is written by runs only; remove it, and set the values themselves"),
    ([('name = "small"', 'name = "small"\n[sources]\n"custody.*.conf" = "x"')],
     'sources."custody.*.conf" names no value of this file; did you mean \'custody.USDC.conf_bps\'?'),
    ([('name = "small"',
       'name = "small"\n[sources]\n"custody.*.conf_bps" = "x"\n[assumptions]\n"custody.USDC.*" = "y"')],
     'custody.USDC.conf_bps is named by sources."custody.*.conf_bps" and assumptions."custody.USDC.*"; '
     "keep one of them"),
    ([('name = "small"', 'name = "small"\n[sources]\n"pool.min_age_s" = 3')],
     "sources.pool.min_age_s = 3 is not possible; give text in quotes"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), FAULTS)
def test_a_fault_is_one_line_with_file_key_value_and_what_is_allowed(
    tmp_path: Path, changes: list[tuple[str, str]], message: str | None
) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, *changes)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'small.toml'}: ")
    if message is not None:
        assert str(caught.value) == f"{tmp_path / 'small.toml'}: {message}"


def test_files_that_are_no_protocol(tmp_path: Path) -> None:
    path = write(tmp_path, "name = ")
    with pytest.raises(UsageError, match=r"small\.toml: is not TOML \(Invalid value"):
        load_protocol(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"small\.toml: is not UTF-8 text; give a TOML file"):
        load_protocol(path)
    with pytest.raises(UsageError, match=r"no protocol is called 'adrena-alb'; did you mean 'adrena-alp'\?, or give"):
        find_protocol("adrena-alb")
    with pytest.raises(UsageError, match=r"x\.toml: no such file; give a protocol TOML, or one of the shipped: adrena"):
        find_protocol(tmp_path / "x.toml")


def test_mechanism_names_are_those_of_the_kernels() -> None:
    """Every family that the pool record holds, and its variants in the order of the codes."""
    fields = {"swap": "swap_mode"}
    tables = {"interest_rounding": codes.ROUNDING, "ratio_limit": codes.RATIO_LIMITS}
    hints = get_type_hints(Mechanisms)
    names = [fields.get(family, family) for family in hints]
    assert names == list(state.POOL_PARAMS.names[: len(names)])
    for family, name in zip(hints, names, strict=True):
        assert get_args(hints[family]) == tables.get(name, getattr(codes, name.upper(), None)), family
    assert get_args(get_type_hints(Custody)["peg"]) == codes.PEG


# --- extends --------------------------------------------------------------------------------------------------


def test_extends_overrides_keys_and_rows_by_symbol_and_adds_new_rows(tmp_path: Path) -> None:
    write(tmp_path, changed(('name = "small"', 'name = "small"\n[sources]\n"custody.*.conf_bps" = "old"')))
    child = """
    extends = "small.toml"
    name = "child"
    [pool]
    min_age_s = 60
    [[custody]]
    symbol = "jitoSOL"
    conf_bps = 30
    [[custody]]
    symbol = "WBTC"
    decimals = 8
    stable = false
    max_borrow_per_hour = 0.0002
    [assumptions]
    "custody.*.conf_bps" = "new"
    """
    protocol = load_protocol(write(tmp_path, child, "child.toml"))
    assert (protocol.name, protocol.pool.min_age_s) == ("child", 60)
    assert [(row.symbol, row.conf_bps) for row in protocol.custody] == [("USDC", 0), ("jitoSOL", 30), ("WBTC", 0)]
    assert protocol.custody[1].max_borrow_per_hour == 0.0001
    kinds = {path: (item.kind, item.text) for path, item in provenance(protocol).items() if "conf_bps" in path}
    assert kinds == {
        "custody.USDC.conf_bps": ("source", "old"),  # the base's own value
        "custody.jitoSOL.conf_bps": ("assumption", "new"),
        "custody.WBTC.conf_bps": ("assumption", "new"),
    }


def test_extends_by_shipped_name_keeps_every_origin(tmp_path: Path) -> None:
    child = 'extends = "adrena-alp"\nname = "mine"\n[[market]]\nsymbol = "SOL"\nclose_bps = 12\n'
    protocol = load_protocol(write(tmp_path, child))
    assert unstated(protocol) == ["market.SOL.close_bps"]
    base = {path: item for path, item in provenance(load_protocol("adrena-alp")).items()}
    mine = provenance(protocol)
    assert {path for path in base if base[path] != mine[path]} == {"market.SOL.close_bps"}


def test_extends_faults(tmp_path: Path) -> None:
    write(tmp_path, 'extends = "b.toml"\n', "a.toml")
    with pytest.raises(UsageError, match=r"a\.toml: extends itself \(a\.toml -> b\.toml -> a\.toml\); break the cycle"):
        load_protocol(write(tmp_path, 'extends = "a.toml"\n', "b.toml").with_name("a.toml"))
    with pytest.raises(UsageError, match=r"c\.toml: extends: no protocol is called 'nope'; known: adrena-alp-2024"):
        load_protocol(write(tmp_path, 'extends = "nope"\n', "c.toml"))
    with pytest.raises(UsageError, match=r"d\.toml: extends = 3 is not possible; give the name or path of a protocol"):
        load_protocol(write(tmp_path, "extends = 3\n", "d.toml"))
    with pytest.raises(UsageError, match=r"e\.toml: custody is not an array of tables with a symbol each; write \[\["):
        load_protocol(write(tmp_path, 'extends = "adrena-alp"\n[[custody]]\nconf_bps = 3\n', "e.toml"))
    rows = '[[market]]\nsymbol = "SOL"\n' * 2
    with pytest.raises(UsageError, match=r"f\.toml: market names SOL twice; keep one"):
        load_protocol(write(tmp_path, f'extends = "adrena-alp"\n{rows}', "f.toml"))


# --- overrides ------------------------------------------------------------------------------------------------


def test_overrides_are_applied_in_order_and_recorded(tmp_path: Path) -> None:
    sets = ("custody.*.conf_bps=10", "custody.USDC.conf_bps = 5", "mechanisms.swap=whitelisted", "pool.min_age_s=9")
    protocol = load(tmp_path, sets=sets)
    assert [row.conf_bps for row in protocol.custody] == [5, 10]
    assert protocol.mechanisms.swap == "whitelisted"
    assert protocol.overrides == (
        Override(path="custody.USDC.conf_bps", before=0, after=5),
        Override(path="custody.jitoSOL.conf_bps", before=25, after=10),
        Override(path="mechanisms.swap", before="none", after="whitelisted"),
        Override(path="pool.min_age_s", before=0, after=9),
    )
    assert provenance(protocol)["custody.jitoSOL.conf_bps"].kind == "override"
    assert load(tmp_path).overrides == ()  # the file is not touched by an earlier call


def test_an_override_may_be_a_table_of_tiers_or_quoted_text(tmp_path: Path) -> None:
    tiers = "fees.close_fee_tiers=[{until_s=60, multiplier=1.5}]"
    protocol = load(tmp_path, sets=(tiers, 'mechanisms.close_fee="age_tiers"', "custody.USDC.price=usd"))
    assert protocol.fees.close_fee_tiers[0].multiplier == 1.5
    assert protocol.custody[0].price == "usd"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pool.min_age_s", "override 'pool.min_age_s' is not path=value; write e.g. market.SOL.close_bps=20"),
        ("=3", "override '=3' is not path=value; write e.g. market.SOL.close_bps=20"),
        ("pool.min_age=3", "override pool.min_age: no such value; did you mean 'pool.min_age_s'?"),
        ("market.SOL.closebps=3", "override market.SOL.closebps: no such value; did you mean 'market.SOL.close_bps'?"),
        ("market.*.closebps=3", "override market.*.closebps: no such value; did you mean 'market.*.close_bps'?"),
        ("market.SOL.symbol=x", "override market.SOL.symbol: no such value; did you mean 'market.SOL.price'?"),
        ("title=x", "override title: no such value; `perpool protocols show` lists every path"),
        ("pool.min_age_s=[1", "override 'pool.min_age_s=[1': [1 is no TOML value; write a number or text"),
        (
            "pool.min_age_s=-1",
            "override: pool.min_age_s = -1 is not possible; give a whole number of seconds from 0 to 31,536,000",
        ),
        (
            "pool.min_age_s=soon",
            'override: pool.min_age_s = "soon" is not possible; give a whole number of seconds from 0 to 31,536,000',
        ),
    ],
)
def test_override_faults(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, sets=(text,))
    assert str(caught.value) == message


def test_an_override_that_breaks_the_whole_names_file_and_reason(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"small\.toml, with overrides: fees: lp_share_bps 8000 \+ .* = 11000, not"):
        load(tmp_path, sets=("fees.lp_share_bps=8000",))
