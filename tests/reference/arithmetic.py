"""Integer arithmetic of the venue. Money 1e6, prices 1e10, rates 1e9 per hour, leverage and fees in basis points."""

BPS = 10_000
RATE = 10**9
PERCENTAGE = 1_000_000  # 100 % of a position
HOUR_S = 3_600
YEAR_H = 8_760
DOLLAR = 10**10  # price of one dollar
SCALE = 10**16  # of fractions in the average entry prices
INFINITE_LEVERAGE = 2**64 - 1
LARGEST_AMOUNT = 2**53


def ceil_div(numerator: int, denominator: int) -> int:
    """Quotient rounded up, for a positive denominator."""
    return -((-numerator) // denominator)


def sign(value: int) -> int:
    return (value > 0) - (value < 0)


def usd(units: int, decimals: int, price: int) -> int:
    """Micro-dollars of `units`: floor(units * price / 10^(decimals + 4)).

    Spec 1.1, OraclePrice::get_asset_amount_usd.
    """
    return units * price // 10 ** (decimals + 4)


def tokens(amount_usd: int, decimals: int, price: int) -> int:
    """Units bought by micro-dollars: floor(usd * 10^(decimals + 4) / price).

    Spec 1.1, OraclePrice::get_token_amount.
    """
    return amount_usd * 10 ** (decimals + 4) // price


def fee(bps: int, amount: int) -> int:
    """ceil(amount * bps / 1e4). Spec 1.1, Pool::get_fee_amount."""
    return ceil_div(amount * bps, BPS)


def downscale(value: int, percentage: int) -> int:
    """The closed part of a field: |v| - floor(|v| * (1e6 - percentage) / 1e6), with the sign of v.

    Spec 1.9, partial close.
    """
    kept = abs(value) * (PERCENTAGE - percentage) // PERCENTAGE
    return sign(value) * (abs(value) - kept)


def normalised(price: int) -> tuple[int, int]:
    """(mantissa, exponent) of a price, with digits dropped until the mantissa is below 2^28. OraclePrice::normalize."""
    exponent = -10
    while price >= 2**28:
        price, exponent = price // 10, exponent + 1
    return price, exponent


def swapped(amount: int, price_in: int, decimals_in: int, price_out: int, decimals_out: int) -> int:
    """Units out of a swap: floor(amount * ratio), the ratio floored at nine decimals of the mantissas' quotient.

    ratio = floor(m_in * 1e9 / m_out) * 10^(e_in - e_out - 9). Spec 1.11, Pool::get_swap_price, get_swap_amount.
    """
    (mantissa_in, exponent_in), (mantissa_out, exponent_out) = normalised(price_in), normalised(price_out)
    ratio = mantissa_in * 10**9 // mantissa_out
    power = exponent_in - exponent_out - 9 + decimals_out - decimals_in
    return amount * ratio * 10**power if power >= 0 else amount * ratio // 10**-power


def harmonic_price(size: int, price: int, added_size: int, added_price: int) -> int:
    """Entry price after an increase: mean of the prices, harmonic, weighted by size, every step floored. Spec 1.9.

    p1 >= p0: (s0 + s1) * p0 / (s0 + floor(s1 * p0 / p1)); else (s0 + s1) * p1 / (floor(s0 * p1 / p0) + s1).
    """
    if added_price >= price:
        return (size + added_size) * price // (size + added_size * price // added_price)
    return (size + added_size) * added_price // (size * added_price // price + added_size)


def quantity(size_usd: int, price: int) -> int:
    """Size in traded units, scaled by 1e8: floor(size * 1e4 * 1e4 / price). Spec 1.10."""
    return size_usd * 10**8 // price


def preserving_price(price: int, size: int, added_size: int, added_price: int, mark: int, gain: int) -> int:
    """Entry price after an increase that leaves the profit or loss so far as it was. GMX v1 getNextAveragePrice.

    f = floor(|price - mark| * SC / price) of the size so far, g = floor(f * size / (size + added));
    added_price * SC / (SC + g * gain) with gain +1 where a higher divisor keeps it (long profit, short loss), -1 else.
    `mark` equal to `price`: no profit (also where the rule of the minimal profit takes it away).
    """
    scale = SCALE
    fraction = abs(price - mark) * scale // price
    if fraction >= 2**62:  # 64 bits hold it on a coarser scale
        scale = 10**12
        fraction = abs(price - mark) * scale // price
    share = fraction * size // (size + added_size)
    return added_price * scale // (scale + gain * share)
