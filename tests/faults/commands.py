"""Faults of command lines and of the run directories that they name."""

from pathlib import Path

from backtest.assets import shipped
from tests.faults.changes import FLOW, RUN, Fault, both, folder, ran, written

SHIPPED = ", ".join(shipped("scenarios") | shipped("protocols"))

COMMANDS = {
    "unknown command": Fault("No such command 'rnu'; `perpool --help` shows what is possible", args="rnu", code=2),
    "unknown option": Fault(
        "No such option '--prize'. ...; `perpool run --help` shows what is possible", args=f"{RUN} --prize x", code=2
    ),
    "option without a value": Fault(
        "Option '--out' requires an argument; `perpool --help` shows what is possible",
        args="run scenario.toml --out",
        code=2,
    ),
    "one word too many": Fault(
        "Got unexpected extra argument (more); `perpool run --help` shows what is possible",
        args="run scenario.toml more",
        code=2,
    ),
    "unknown choice": Fault(
        "Invalid value for '--path': 'vwap' is not one of 'close', 'ohlc'; `perpool run --help` shows what is possible",
        args=f"{RUN} --path vwap",
        code=2,
    ),
    "no number": Fault(
        "Invalid value for '--seed': 'x' is not a valid whole number; `perpool run --help` shows what is possible",
        args=f"{FLOW} --seed x",
        code=2,
    ),
    "below zero": Fault(
        "Invalid value for '--positions': -1 is not in the range x>=0; `perpool run --help` shows what is possible",
        args=f"{FLOW} --positions -1",
        code=2,
    ),
    "positions without flow": Fault(
        'arguments: positions = 5 needs a flow; add flow = "uniform"', args=f"{RUN} --positions 5", code=2
    ),
    "no date": Fault(
        "arguments: start: 'yesterday' is not a date; write 2025-01-31 or 2025-01-31T12:00:00 (UTC)",
        args=f"{RUN} --start yesterday",
        code=2,
    ),
    "no duration": Fault(
        'arguments: execution_delay: "1.5s" is not a duration; write a whole number and a unit (s, m, h, d), such as '
        '"15m"',
        args=f"{RUN} --execution-delay 1.5s",
        code=2,
    ),
    "no interval": Fault(
        'arguments: sample_interval = "0s" is not possible; give more than 0',
        args=f"{RUN} --sample-interval 0s",
        code=2,
    ),
    "empty path": Fault(
        "arguments: prices names an empty path; give a Parquet file, a folder or a glob",
        args=f"{RUN} --prices ''",
        code=2,
    ),
    "unknown target": Fault(
        "'sampel' is neither a scenario nor a protocol; did you mean 'sample'?, or give a TOML file",
        args="run sampel --out out",
        code=2,
    ),
    "missing target": Fault(
        f"none.toml: no such file; give a scenario or protocol TOML, or one of: {SHIPPED}",
        args="run none.toml --out out",
        code=2,
    ),
    "target of another kind": Fault(
        "prices.parquet: is not UTF-8 text; give a TOML file", args="run prices.parquet --out out", code=2
    ),
    "override without a value": Fault(
        "override 'market.SOL.close_bps' is not path=value; write e.g. market.SOL.close_bps=20",
        args=f"{RUN} --set market.SOL.close_bps",
        code=2,
    ),
    "override of nothing": Fault(
        "override market.ETH.close_bps: no such value; did you mean 'market.SOL.close_bps'?",
        args=f"{RUN} --set market.ETH.close_bps=3",
        code=2,
    ),
    "override out of range": Fault(
        "override: market.SOL.close_bps = -1 is not possible; give a whole number of basis points from 0 to 10,000",
        args=f"{RUN} --set 'market.*.close_bps=-1'",
        code=2,
    ),
    "override of another type": Fault(
        'override: market.SOL.close_bps = "lots" is not possible; give a whole number of basis points from 0 to 10,000',
        args=f"{RUN} --set market.SOL.close_bps=lots",
        code=2,
    ),
    "out is a file": Fault(
        "tiny.toml is a file, not a directory; choose another --out", args="run scenario.toml --out tiny.toml"
    ),
    "out lies in a file": Fault(
        "cannot write the run directory DIR/tiny.toml/out: DIR/tiny.toml is not a directory; free space or choose "
        "another --out",
        args="run scenario.toml --out tiny.toml/out",
    ),
    "out holds other things": Fault(
        "mine is not empty and is not a run directory (no manifest.json); choose another --out",
        folder("mine", "thesis.tex"),
        "run scenario.toml --out mine --overwrite",
    ),
    "out holds a run": Fault(
        "out already holds a run; choose another --out or pass --overwrite to replace it", ran, RUN
    ),
    "unknown protocol": Fault(
        "no protocol is called 'adrena'; did you mean 'adrena-alp'?, or give a TOML file",
        args="protocols show adrena",
        code=2,
    ),
}

RESULTS = {
    "no run": Fault(
        "none does not exist; give the run directory that `perpool run --out` wrote", args="sql none 'FROM overview'"
    ),
    "no run directory": Fault(
        "bare is not a run directory (no manifest.json); give what `perpool run --out` wrote",
        folder("bare"),
        "audit bare",
    ),
    "no query": Fault(
        'perpool sql takes a run and a query, such as: perpool sql out "FROM overview"', ran, "sql out", 2
    ),
    "no SQL": Fault('Parser Error: syntax error at or near "SELEC"', ran, "sql out 'SELEC 1'"),
    "unknown table": Fault(
        'Catalog Error: Table with name overveiw does not exist! Did you mean "overview"? Tables: ..., trades. Per '
        "period, as in FROM revenue('1 day'): revenue, exposure, utilisation, lp_returns, attribution, trader_pnl, "
        "liquidations_by",
        ran,
        "sql out 'FROM overveiw'",
    ),
    "unknown column": Fault(
        'Binder Error: Referenced column "tvl" not found in FROM clause! Candidate bindings: ...; DESCRIBE <table> '
        "lists its columns",
        ran,
        "sql out 'SELECT tvl FROM overview'",
    ),
    "unknown period": Fault(
        "Conversion Error: extract specifier \"fortnight\" not recognized; a period is an interval such as '1 hour', "
        "'1 day', '1 week' or '1 month'",
        ran,
        "sql out \"FROM revenue('1 fortnight')\"",
    ),
    "unknown format": Fault(
        "Invalid value for '--format': 'xml' is not one of 'table', 'csv', 'json', 'parquet'; `perpool sql --help` "
        "shows what is possible",
        ran,
        "sql out 'FROM overview' --format xml",
        2,
    ),
    "run given twice": Fault(
        "the same run directory is given twice; give each run once", ran, "sql out out 'FROM overview'"
    ),
    "table gone": Fault(
        "out: lp.parquet is missing; the run directory is damaged, run the backtest again",
        both(ran, lambda: Path("out/lp.parquet").unlink()),
        "sql out 'FROM overview'",
    ),
    "table damaged": Fault(
        "cannot open DIR/out: Invalid Input Error: ...; run the backtest again",
        both(ran, written("out/lp.parquet", "x")),
        "audit out",
    ),
    "manifest damaged": Fault(
        "out/manifest.json: cannot be read as JSON (...); run the backtest again",
        both(ran, written("out/manifest.json", "{")),
        "sql out 'FROM overview'",
    ),
    "database exists": Fault(
        "DIR/tiny.toml already exists; choose another name or pass --overwrite to replace it",
        ran,
        "export out tiny.toml",
    ),
    "database is a folder": Fault(
        "DIR/out is a directory; give the name of a database file, for example out.duckdb, or --format csv or parquet "
        "for a folder of files",
        ran,
        "export out out",
    ),
    "no database": Fault(
        "perpool export takes a run and a file, such as: perpool export out out.duckdb", ran, "export out", 2
    ),
}
