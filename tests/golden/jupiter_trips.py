"""Real round trips on Jupiter Perps, 13 to 27 April 2025: decoded events of one wallet's SOL longs, opening to end.

The events show dollars cut to the cent and prices cut to two decimals; tokens are exact. A script needs more digits
than that: entry and exit price (six decimals on chain) and the yearly borrow rate are those that make every printed
figure of a trip come out at once. They are no free choice: the fee in tokens fixes the entry price to the last
digit, the profit the exit price, and the rates found this way lie between 20.0 and 20.3 % a year for seven trips.
Basis points of the two fees are those observed (see `UNREACHABLE` of jupiter.py for the trips left out).
"""

from dataclasses import dataclass

from kernels import codes
from tests.golden.jupiter_script import STABLE, Pool
from tests.golden.script import K, M, Scenario

SOURCE = "merdanaslan/jupiter-perps-anchor-idl-parsing output.txt"


@dataclass(frozen=True)
class Trip:
    """Inputs are exact; `cents` holds the printed dollars in cents, `tokens` the printed lamports.

    `entry`, `leaving`: prices in micro-dollars; `rate`: yearly bps; `out_units` -1: paid out in dollars by a swap.
    """

    name: str
    seconds: int
    size_cents: int
    collateral_units: int
    entry: int
    leaving: int
    rate: int
    open_bps: int
    close_bps: int
    cents: dict[str, int]
    fee_units: int
    out_units: int = -1
    is_liquidated: bool = False


def _cents(collateral: int, open_fee: int, pnl: int, close_fee: int, payout: int) -> dict[str, int]:
    """What the events print: gross collateral, fee of opening, PnL, fee of closing with interest, payout."""
    return {"collateral": collateral, "open_fee": open_fee, "pnl": pnl, "close_fee": close_fee, "payout": payout}


TRIPS = [
    Trip(
        "13 April 08:22",
        2_061,
        165_933_467,
        187_000_000_000,
        128_829_968,
        129_800_001,
        2_026,
        6,
        6,
        _cents(2_409_120, 99_560, 1_249_406, 101_757, 3_457_209),
        7_728_021_826,
    ),
    Trip(
        "13 April 14:31",
        550,
        137_812_141,
        292_754_213_053,
        128_314_004,
        129_020_000,
        2_000,
        20,
        6,
        _cents(3_756_446, 275_624, 758_255, 83_168, 4_155_909),
        21_480_452_077,
    ),
    Trip(
        "14 April 00:49",
        2_579,
        39_521_018,
        52_000_000_000,
        131_146_671,
        131_340_505,
        2_030,
        6,
        6,
        _cents(681_962, 23_712, 58_411, 24_368, 692_293),
        1_808_098_565,
        52_709_793_634,
    ),
    Trip(
        "14 April 01:43",
        1_370,
        64_033_787,
        65_000_000_000,
        130_419_965,
        130_264_997,
        2_032,
        6,
        6,
        _cents(847_729, 38_420, -76_086, 38_985, 694_237),
        2_945_888_851,
        53_294_244_091,
    ),
    Trip(
        "14 April 04:09",
        1_069,
        11_871_985,
        9_551_500_372,
        132_251_029,
        132_784_995,
        2_021,
        6,
        6,
        _cents(126_319, 7_123, 47_933, 7_204, 159_925),
        538_611_386,
        12_043_922_430,
    ),
    Trip(
        "14 April 04:27",
        204,
        15_031_039,
        12_038_748_753,
        132_879_966,
        133_290_000,
        2_015,
        6,
        6,
        _cents(159_970, 9_018, 46_381, 9_038, 188_295),
        678_704_564,
    ),
    Trip(
        "14 April 04:39",
        3_460,
        17_661_791,
        14_043_930_497,
        133_785_170,
        132_964_993,
        2_003,
        6,
        6,
        _cents(187_886, 10_597, -108_276, 10_985, 58_028),
        792_096_361,
        4_364_166_870,
    ),
    # 149.06 to 147.94: what is left, $48.35, is less than the size over 500, $52.96, and goes to the pool.
    Trip(
        "26 April 23:38",
        6_829,
        2_647_824,
        1_909_831_065,
        149_064_224,
        147_949_940,
        2_329,
        7,
        7,
        _cents(28_468, 1_853, -19_792, 1_987, 4_835),
        124_340_821,
        is_liquidated=True,
    ),
]


def scenario(trip: Trip) -> Scenario:
    """The trip as two ticks. Everything is checked against the printed figures by test_jupiter."""
    rates = {"borrow_min": trip.rate, "borrow_mid": trip.rate, "borrow_max": trip.rate, "borrow_optimal_bps": 8_000}
    pool = Pool(
        {"USDC": STABLE, "SOL": {"decimals": 9} | rates},
        {"SOL": {"open_bps": trip.open_bps, "close_bps": trip.close_bps}},
        {"USDC": 10_000_000 * M, "SOL": 1_000_000 * K},
    )
    pool.quote("SOL", trip.entry * 10_000)
    pool.warp(0)
    pool.enter_dollars("SOL", trip.collateral_units, trip.size_cents * 10_000)
    pool.quote("SOL", trip.leaving * 10_000)
    pool.warp(trip.seconds)
    if trip.is_liquidated:
        pool.liquidations = 1
    else:
        pool.close()
    kind = codes.K_LIQUIDATION if trip.is_liquidated else codes.K_CLOSE
    pool.expect_count("events", {"kind": kind, "timestamp": pool.now_us}, 1)
    return pool.scenario(f"jupiter_trip[{trip.name}]", SOURCE)


SCENARIOS = [scenario(trip) for trip in TRIPS]
BY_SCENARIO = dict(zip((made.name for made in SCENARIOS), TRIPS, strict=True))
