"""Slow twin of backtest.ticks for prices in the long form: rows of (time µs, symbol, price) to ticks."""


def naive_ticks(rows, feeds, start_us, end_us):
    """The contract, said slowly: for each time of any symbol, the last price of each."""
    ticks = []
    for time in sorted({row[0] for row in rows if row[1] in [feed.source for feed in feeds]}):
        prices, flags = [], []
        for feed in feeds:
            known = [(row[0], row[2]) for row in rows if row[1] == feed.source and row[0] <= time]
            if not known:
                break
            at, price = max(known)
            prices.append(round(price * 1e10))
            flags.append(int(time - at > feed.max_staleness_us))
        if len(prices) == len(feeds) and start_us <= time < end_us:
            ticks.append((time, prices, flags))
    return ticks
