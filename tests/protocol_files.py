"""A small valid protocol as TOML text, to be broken or extended by tests."""

from pathlib import Path

SMALL = """
name = "small"

[mechanisms]
borrow = "linear"
funding = "none"
close_fee = "fixed_at_open"
leftover = "trader"
swap = "none"

[fees]
lp_share_bps = 7000
lm_share_bps = 2000
protocol_share_bps = 1000
referrer_share_bps = 1000

[[custody]]
symbol = "USDC"
decimals = 6
stable = true
max_borrow_per_hour = 0.00008

[[custody]]
symbol = "jitoSOL"
decimals = 9
stable = false
conf_bps = 25
max_borrow_per_hour = 0.0001

[[market]]
symbol = "SOL"
long_custody = "jitoSOL"
short_custody = "USDC"
close_bps = 16
liquidation_bps = 16
max_initial_leverage = 100
max_leverage = 200.5
"""


def changed(*changes: tuple[str, str]) -> str:
    """The text with each (old, new) replaced once; the old text must be there."""
    text = SMALL
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def write(folder: Path, text: str = SMALL, name: str = "small.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
