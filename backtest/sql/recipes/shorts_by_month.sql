-- What did shorts cost the LPs, month by month?
-- venue_gain_usd is all that shorts lost, fees and funding included; it is negative where shorts won more than they
-- paid.
SELECT
    run,
    strftime(period_start AT TIME ZONE 'UTC', '%Y-%m') AS month,
    market_symbol AS market,
    volume_usd,
    pnl_usd AS won_on_prices_usd,
    open_fee_usd + exit_fee_usd + borrow_fee_usd + funding_usd + confiscated_usd AS paid_usd,
    bad_debt_usd,
    -net_pnl_usd AS venue_gain_usd
FROM trader_pnl('1 month')
WHERE side = 'short'
ORDER BY run, month, market
