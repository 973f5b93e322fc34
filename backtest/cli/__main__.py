"""`python -m backtest.cli` is `perpool`."""

from backtest.cli import main

main()
