-- open_interest: one row per sample and market; net_oi_usd + longs outweigh shorts, PnL + traders win.
CREATE OR REPLACE VIEW open_interest AS
SELECT
    run,
    timestamp,
    market AS market_symbol,
    price_usd,
    long_oi_usd,
    short_oi_usd,
    long_oi_usd + short_oi_usd AS open_interest_usd,
    long_oi_usd - short_oi_usd AS net_oi_usd,
    long_positions,
    short_positions,
    long_pnl_usd,
    short_pnl_usd,
    funding_rate / 1e9 AS funding_rate_per_hour
FROM markets;
