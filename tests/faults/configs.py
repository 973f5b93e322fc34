"""Faults of protocol, scenario and flow files."""

from pathlib import Path

from backtest.protocols import known_protocols
from tests.faults.changes import (
    FLOW,
    RUN,
    Fault,
    Prepare,
    flow,
    prices,
    protocol,
    scenario,
    text,
    with_key,
    written,
)
from tests.shell import PROTOCOL


def change(date: str, values: str) -> Prepare:
    """The tiny protocol with one dated change."""
    return written("tiny.toml", f'{PROTOCOL}[[change]]\n{date}\nsource = "a notice"\n[change.set]\n{values}\n')


PROTOCOLS = {
    "no TOML": Fault(
        "tiny.toml: is not TOML (Expected ']' at the end of a table declaration (at line 11, column 6)); correct it "
        "there",
        protocol("[fees]", "[fees"),
        code=2,
    ),
    "no text": Fault("tiny.toml: is not UTF-8 text; give a TOML file", written("tiny.toml", b'name = "\xff"'), code=2),
    "no file": Fault(
        "scenario.toml: protocol: tiny.toml: no such file; give a protocol TOML, or one of the shipped: "
        f"{', '.join(known_protocols())}",
        lambda: Path("tiny.toml").unlink(),
        code=2,
    ),
    "unknown name": Fault(
        "scenario.toml: protocol: no protocol is called 'adrna-alp'; did you mean 'adrena-alp'?, or give a TOML file",
        scenario('"tiny.toml"', '"adrna-alp"'),
        code=2,
    ),
    "unknown parent": Fault(
        "tiny.toml: extends: no protocol is called 'adrena-app'; did you mean 'adrena-alp'?, or give a TOML file",
        protocol('name = "tiny"', 'name = "tiny"\nextends = "adrena-app"'),
        code=2,
    ),
    "unknown key": Fault(
        "tiny.toml: custody.USDC.decimal is not a key that exists; did you mean 'decimals'?",
        protocol("decimals = 6", "decimals = 6\ndecimal = 6"),
        code=2,
    ),
    "missing key": Fault(
        "tiny.toml: market.SOL.close_bps is missing; add it: a whole number of basis points from 0 to 10,000",
        protocol("close_bps = 10\n", ""),
        code=2,
    ),
    "out of range": Fault(
        "tiny.toml: market.SOL.close_bps = 20000 is not possible; give a whole number of basis points from 0 to 10,000",
        protocol("close_bps = 10\n", "close_bps = 20000\n"),
        code=2,
    ),
    "wrong type": Fault(
        'tiny.toml: market.SOL.close_bps = "10" is not possible; give a whole number of basis points from 0 to 10,000',
        protocol("close_bps = 10\n", 'close_bps = "10"\n'),
        code=2,
    ),
    "nan": Fault(
        "tiny.toml: custody.USDC.max_borrow_per_hour = nan is not possible; give a number of the notional per hour "
        "(0.0001 is 0.01 %) from 0 to 1",
        protocol("max_borrow_per_hour = 0.0001", "max_borrow_per_hour = nan"),
        code=2,
    ),
    "too fine": Fault(
        "tiny.toml: custody.USDC.max_borrow_per_hour = 0.00000000001 is not possible; give a number of the notional "
        "per hour (0.0001 is 0.01 %) from 0 to 1, with at most 9 decimal places",
        protocol("max_borrow_per_hour = 0.0001", "max_borrow_per_hour = 0.00000000001"),
        code=2,
    ),
    "unknown mechanism": Fault(
        'tiny.toml: mechanisms.borrow = "lineer" is not possible; give one of "jump", "kink", "linear", "stepwise", '
        "\"two_slope\"; did you mean 'linear'?",
        protocol('"linear"', '"lineer"'),
        code=2,
    ),
    "shares": Fault(
        "tiny.toml: fees: lp_share_bps 6000 + lm_share_bps 2000 + protocol_share_bps 1000 = 9000, not 10000; the three "
        "share the whole fee",
        protocol("lp_share_bps = 7000", "lp_share_bps = 6000"),
        code=2,
    ),
    "unknown custody": Fault(
        "tiny.toml: market.SOL.long_custody = \"SLO\" is not a custody; did you mean 'SOL'?",
        protocol('long_custody = "SOL"', 'long_custody = "SLO"'),
        code=2,
    ),
    "volatile shorts": Fault(
        'tiny.toml: market.SOL.short_custody = "SOL" is not stable; shorts lock dollars, name a stable custody',
        protocol('short_custody = "USDC"', 'short_custody = "SOL"'),
        code=2,
    ),
    "twice": Fault(
        "tiny.toml: custody names SOL twice; keep one", protocol('symbol = "USDC"', 'symbol = "SOL"'), code=2
    ),
    "leverage": Fault(
        "tiny.toml: market.SOL.max_initial_leverage = 500x is above max_leverage = 100x; a position could open and be "
        "liquidated at once",
        protocol("max_initial_leverage = 50", "max_initial_leverage = 500"),
        code=2,
    ),
    "decimals": Fault(
        "tiny.toml: custody.SOL.decimals = 18 is not possible; give a whole number of decimal places from 0 to 9",
        protocol("decimals = 9", "decimals = 18"),
        code=2,
    ),
    "a mix that books twice": Fault(
        'tiny.toml: mechanisms.margin = "pooled" does not go with valuation = "collective": any other value would '
        'count the collateral of longs as the LPs\' own; set valuation = "guaranteed", or another margin',
        protocol("[fees]", 'margin = "pooled"\n[fees]'),
        code=2,
    ),
    "a variant without its numbers": Fault(
        'tiny.toml: custody.USDC.max_borrow_per_interval is missing; mechanisms.borrow = "stepwise" reads it; add it: '
        "a number of the notional per interval (0.0001 is 0.01 %) from 0 to 1",
        protocol('"linear"', '"stepwise"'),
        code=2,
    ),
    "a change without a date": Fault(
        'tiny.toml: change[0].date = "May" is not a date in UTC; write 2022-01-05, or 2022-01-05T14:00:00Z',
        change('date = "May"', '"market.SOL.close_bps" = 5'),
        code=2,
    ),
    "a change of nothing that exists": Fault(
        "tiny.toml: change 2025-01-02: market.SOL.close: no such value; did you mean 'market.SOL.close_bps'?",
        change("date = 2025-01-02", '"market.SOL.close" = 5'),
        code=2,
    ),
    "a change out of range": Fault(
        "tiny.toml: change 2025-01-02: market.SOL.close_bps = -5 is not possible; give a whole number of basis points "
        "from 0 to 10,000",
        change("date = 2025-01-02", '"market.SOL.close_bps" = -5'),
        code=2,
    ),
    "a change that contradicts the rest": Fault(
        "tiny.toml: change 2025-01-02: market.SOL.max_initial_leverage = 50x is above max_leverage = 10x; a position "
        "could open and be liquidated at once",
        change("date = 2025-01-02", '"market.SOL.max_leverage" = 10'),
        code=2,
    ),
    "a change of what books are made for": Fault(
        "tiny.toml: change 2025-01-02: custody.SOL.decimals = 8 cannot change within a run: books and ticks are made "
        "for it; write a second protocol that extends this one",
        change("date = 2025-01-02", '"custody.SOL.decimals" = 8'),
        code=2,
    ),
    "hours that are none": Fault(
        'tiny.toml: calendar.day.open: "9-5": write day and time of both ends, such as "Sun 23:00 - Fri 22:00" (Mon '
        "to Sun)",
        written("tiny.toml", PROTOCOL + '[calendar.day]\nopen = ["9-5"]\n'),
        code=2,
    ),
    "a source for nothing": Fault(
        "tiny.toml: sources.\"market.ETH.close_bps\" names no value of this file; did you mean 'market.SOL.close_bps'?",
        written("tiny.toml", PROTOCOL + '[sources]\n"market.ETH.close_bps" = "hearsay"\n'),
        code=2,
    ),
    "no target ratios": Fault(
        "tiny.toml: liquidity.total_usd is split by ratio_target_bps, which tiny does not give; in a scenario file, "
        "write dollars per custody under [liquidity], such as USDC = 1_000_000",
        args="run tiny.toml --out out",
        code=2,
    ),
}

SCENARIOS = {
    "unknown key": Fault(
        "scenario.toml: ordres is not a key that exists; did you mean 'orders'?",
        scenario("orders =", "ordres ="),
        code=2,
    ),
    "key given twice": Fault(
        "scenario.toml: is not TOML (Cannot overwrite a value (at line 4, column 17)); correct it there",
        with_key('prices = "other"'),
        code=2,
    ),
    "no protocol": Fault(
        "scenario.toml: protocol is missing; add it: text in quotes",
        scenario('protocol = "tiny.toml"\n', ""),
        code=2,
    ),
    "no prices": Fault(
        'scenario.toml: no prices; give --prices PATH, or prices = "sample" for the bundled history',
        scenario('prices = "prices.parquet"\n', ""),
        code=2,
    ),
    "orders and flow": Fault(
        "scenario.toml: orders and flow are both given; keep one", with_key('flow = "flow.toml"'), code=2
    ),
    "seed without flow": Fault(
        'scenario.toml: seed = 1 needs a flow; add flow = "uniform"', with_key("seed = 1"), code=2
    ),
    "duration": Fault(
        'scenario.toml: max_staleness: "15" is not a duration; write a whole number and a unit (s, m, h, d), such as '
        '"15m"',
        with_key('max_staleness = "15"'),
        code=2,
    ),
    "date": Fault(
        "scenario.toml: start: '31.1.2025' is not a date; write 2025-01-31 or 2025-01-31T12:00:00 (UTC)",
        with_key('start = "31.1.2025"'),
        code=2,
    ),
    "span": Fault(
        'scenario.toml: start = "2025-01-02" is not before end = "2025-01-01" (exclusive)',
        with_key("start = 2025-01-02\nend = 2025-01-01"),
        code=2,
    ),
    "unknown symbol": Fault(
        "scenario.toml: symbols.USDT is not a price symbol of tiny; did you mean 'USDC'?",
        scenario("USDC = 1.0", "USDT = 1.0"),
        code=2,
    ),
    "constant of zero": Fault(
        "scenario.toml: symbols.USDC = 0 is not a price; give more than 0 dollars",
        scenario("USDC = 1.0", "USDC = 0"),
        code=2,
    ),
    "constant too small": Fault(
        "constant price of USDC is 1e-20; give US dollars between 1e-10 and 9e+07",
        scenario("USDC = 1.0", "USDC = 1e-20"),
        code=2,
    ),
    "only constants": Fault(
        "no symbol reads its price from the files, so there are no ticks; name at least one source",
        scenario("USDC = 1.0", "USDC = 1.0\nSOL = 100.0"),
        code=2,
    ),
    "liquidity of nothing": Fault(
        "scenario.toml: liquidity.USDT is not a custody of tiny; did you mean 'USDC'?",
        scenario("USDC = 1_000_000", "USDT = 1_000_000"),
        code=2,
    ),
    "liquidity twice": Fault(
        "scenario.toml: liquidity gives both total_usd and SOL; keep the total or the custodies",
        scenario("USDC = 1_000_000", "total_usd = 1_000_000"),
        code=2,
    ),
    "liquidity beyond a book": Fault(
        "liquidity: 1,000,000.00 dollars of SOL at its first price of 0.0000001000 dollars are more than a book holds "
        "(2,305,843,009 tokens); lower it, or the decimals",
        prices(1e-7, 1e-7),
        code=2,
    ),
    "override": Fault(
        "override market.SOL.close_bp: no such value; did you mean 'market.SOL.close_bps'?",
        scenario("[symbols]", '[set]\n"market.SOL.close_bp" = 3\n[symbols]'),
        code=2,
    ),
}

FLOWS = {
    "no TOML": Fault(
        "flow.toml: is not TOML (Expected '=' after a key in a key/value pair (at line 2, column 6)); correct it there",
        flow("seed : 3"),
        FLOW,
        2,
    ),
    "unknown key": Fault("flow.toml: sed is not a key that exists; did you mean 'seed'?", flow("sed = 3"), FLOW, 2),
    "wrong type": Fault('flow.toml: seed = "a" is not possible; give a whole number', flow('seed = "a"'), FLOW, 2),
    "out of range": Fault(
        "flow.toml: long_share = 1.5 is not possible; give 0 to 1", flow("long_share = 1.5"), FLOW, 2
    ),
    "out of range below": Fault(
        "flow.toml: leverage: max = 0.0 is not possible; give 0.01 to 10,000",
        text("flow.toml", "[[markets]]", "[leverage]\nmax = 0.0\n[[markets]]"),
        FLOW,
        2,
    ),
    "unknown market": Fault(
        "flow.toml: markets: BTC is not a market of tiny; known: SOL",
        text("flow.toml", '"SOL"', '"BTC"'),
        FLOW,
        2,
    ),
    "unknown custody": Fault(
        "flow.toml: liquidity.custody: ETH is not a custody of tiny; known: USDC, SOL",
        text("flow.toml", "[[markets]]", '[liquidity]\ncustody = "ETH"\ndeposits = 3\n[[markets]]'),
        FLOW,
        2,
    ),
    "unknown source": Fault(
        "prices.parquet: no prices for ETH; the column symbol holds SOL; add the missing prices or map the symbol to "
        "one of these",
        text("flow.toml", '"SOL"', '"SOL"\nsource = "ETH"'),
        FLOW,
    ),
    "no file": Fault(
        "arguments: flow: no flow is called 'unifrom'; did you mean 'uniform'?, or give a TOML file",
        args=f"{RUN} --flow unifrom",
        code=2,
    ),
    "too many": Fault(
        "arguments: positions = 99999999999 is not possible; give a whole number from 0 to 2,147,483,648",
        args=f"{FLOW} --positions 99999999999",
        code=2,
    ),
    "beside orders": Fault(
        "arguments: orders and flow are both given; keep one", args=f"{FLOW} --orders orders.parquet", code=2
    ),
    "no folder": Fault(
        "no/where.parquet: the folder no does not exist; make it, or write elsewhere",
        args="flow generate flow.toml --prices prices.parquet --out no/where.parquet",
        code=2,
    ),
    "no description": Fault(
        "none.toml: no such file; give a flow TOML, or one of: btc-2025, ...",
        args="flow generate none.toml --prices prices.parquet --out x.parquet",
        code=2,
    ),
    "no prices": Fault(
        "none.parquet: no such price file or folder; check the path",
        args="flow generate flow.toml --prices none.parquet --out x.parquet",
    ),
    "a date": Fault(
        "'soon' is not a date; write 2025-01-31 or 2025-01-31T12:00:00 (UTC)",
        args="flow generate flow.toml --prices prices.parquet --out x.parquet --start soon",
        code=2,
    ),
    "describe no orders": Fault(
        "tiny.toml: cannot be read as Parquet (...); write the orders as a Parquet file",
        args="flow describe tiny.toml",
    ),
}
