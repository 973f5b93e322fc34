"""Flow files: the defaults are the documented ones, shipped files open, and faults are named with what to do."""

from pathlib import Path

import pytest

from backtest.assets import shipped
from backtest.errors import UsageError
from backtest.flows.config import FlowConfig, load_flow, utc_us

WEEK = ", ".join("1" for _ in range(24))
FORESIGHT = "[foresight]\nseconds = 5\n"


def test_the_defaults_are_the_documented_ones() -> None:
    assert load_flow(shipped("flows")["uniform"]) == FlowConfig()


@pytest.mark.parametrize("name", sorted(shipped("flows")))
def test_shipped_files_open_under_their_name(name: str) -> None:
    assert load_flow(shipped("flows")[name]).name == name


def test_uniform_explains_every_key() -> None:
    text = shipped("flows")["uniform"].read_text()
    for kind in (FlowConfig, *(type(getattr(FlowConfig(), name)) for name in FlowConfig.__struct_fields__)):
        for key in getattr(kind, "__struct_fields__", ()):
            assert f"{key} = " in text or f"[{key}]" in text or f"[[{key}]]" in text, key


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seeed = 1", "seeed is not a key that exists; did you mean 'seed'?"),
        ("positions = 1.5", "positions = 1.5 is not possible; give a whole number"),
        ("long_share = 1.5", "long_share = 1.5 is not possible; give 0 to 1"),
        ("long_share = nan", "long_share = nan is not possible; give a number"),
        ('name = ""', "name is empty; name the population, or leave it to the file's name"),
        ("markets = []", "markets is empty; name at least one"),
        ('markets = [{market = "A"}, {market = "A"}]', "markets names one twice: A, A; keep one"),
        ('markets = [{market = "A", weight = 0}]', "the weights of markets sum to 0; give one of them weight"),
        ("[leverage]\nmin = 5\nmax = 2", "leverage: min = 5.0 is more than max = 2.0; swap them"),
        (
            "[leverage]\nmax = 100",
            "leverage.max 100 leaves no room for a stop before liquidation at 100x and a cost of 0.003; lower it, or "
            "stop_loss.share to 0",
        ),
        (
            "[leverage]\nmax = 100\n[stop_loss]\nshare = 0\n[added_collateral]\nnear_liquidation = 0.1",
            "leverage.max 100 leaves no room for a stop before liquidation at 100x and a cost of 0.003; lower it, or "
            "added_collateral.near_liquidation to 0",
        ),
        (
            '[leverage]\ndistribution = "discrete"',
            'leverage: distribution = "discrete" has no values; list them, such as values = [5, 10, 25]',
        ),
        (
            "[leverage]\nvalues = [5]",
            'leverage: values are given beside distribution = "log_uniform"; write "discrete"',
        ),
        (
            '[leverage]\ndistribution = "discrete"\nvalues = [5, 50]',
            "leverage: values holds 50, which is not within min 1.5 and max 25",
        ),
        (
            '[leverage]\ndistribution = "discrete"\nvalues = [5, 10]\nweights = [1]',
            "leverage: weights has 1 numbers; give 2",
        ),
        ("[collateral]\ntail = 0", "collateral: tail = 0.0 is not possible; give 0.1 to 100"),
        (
            "[collateral]\nmedian = 5\n[size]\nmedian = 50",
            "collateral and size are both given, and the leverage ties them; keep one",
        ),
        (
            '[holding]\ndistribution = "weibull"',
            'holding.distribution = "weibull" is not possible; give one of "exponential", "log_normal", "pareto"',
        ),
        ("[arrival]\nhours = [1, 2]", "arrival: hours has 2 numbers; give 24"),
        ("[arrival]\ndays = [0, 0, 0, 0, 0, 0, 0]", "arrival: the weights of days sum to 0; give one of them weight"),
        ("[arrival]\ndays = [1, 1, 1, 1, 1, 1, -1]", "arrival: days = -1.0 is not possible; give 0 to 1,000,000,000"),
        (
            '[arrival]\npattern = "hour_of_week"',
            'arrival: pattern = "hour_of_week" has no weights; give hours (24), days (7) or week (168)',
        ),
        (
            f"[arrival]\nhours = [{WEEK}]",
            'arrival: weights are given, but the pattern is "constant"; write pattern = "hour_of_week"',
        ),
        (
            f"[arrival]\nhours = [{WEEK}]\nweek = [{', '.join([WEEK] * 7)}]",
            "arrival: week is given beside hours or days; keep the 168 weights or the 24 and 7",
        ),
        ("[arrival]\ncap = 0.5", "arrival: cap = 0.5 is not possible; give 1 to 100"),
        ("[added_collateral]\ntimes = 4", "added_collateral: times = 4 is not possible; give 1 to 3"),
        (
            'positions = 0\n[liquidity]\ndeposits = 3\nstyle = "yield"',
            'liquidity.style = "yield" follows the volume of the positions, and there are none; give some',
        ),
        (
            '[liquidity]\nwatch = "SOL"',
            'liquidity.watch = "SOL" is of no use to style = "steady"; leave it out',
        ),
        (
            '[liquidity]\nstyle = "panic"\nwatch = "ETH"',
            'liquidity.watch = "ETH" is none of the markets (SOL, BTC, BONK); name one',
        ),
        ("[foresight]\nshare = 0.5", "foresight.seconds is missing; add it: a number"),
        (
            f"{FORESIGHT}[arrival]\nvolatility_sensitivity = 1",
            "arrival is of no use beside foresight, which decides when and what to trade; leave it out",
        ),
        (
            f'{FORESIGHT}[side]\nbias = "momentum"',
            "side is of no use beside foresight, which decides when and what to trade; leave it out",
        ),
    ],
)
def test_faults_of_a_description(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "flow.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        load_flow(path)
    assert str(caught.value) == f"{path}: {message}"


def test_other_faults(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml: cannot be read \(No such file or directory\)"):
        load_flow(tmp_path / "none.toml")
    with pytest.raises(UsageError, match=r"^flow: positions = -1 is not possible; give 0 to 2,147,483,648$"):
        load_flow(positions=-1)
    with pytest.raises(UsageError, match=r"^'soon' is not a date; write 2025-01-31 or 2025-01-31T12:00:00 \(UTC\)$"):
        utc_us("soon")
