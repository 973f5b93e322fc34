-- Sums of events up to each sample, for the checks: each event belongs to the first sample at or after it.
CREATE TEMP VIEW placed AS
SELECT e.* EXCLUDE (timestamp), e.timestamp AS event_at, s.timestamp AS sampled_at, r.fee_booking
FROM events AS e
JOIN stages AS r ON e.timestamp >= r.from_at AND (r.until_at IS NULL OR e.timestamp < r.until_at)
ASOF LEFT JOIN (SELECT timestamp FROM lp) AS s ON e.timestamp <= s.timestamp;

CREATE TEMP TABLE custody_sums AS
WITH flows AS (
    SELECT
        sampled_at, custody,
        sum(owned_units) AS owned, sum(locked_units) AS locked, sum(collateral_units) AS collateral,
        sum(fee_units) AS fee, sum(stranded_units) AS stranded
    FROM placed
    GROUP BY ALL
)
SELECT
    l.timestamp,
    c.custody,
    coalesce(sum(f.owned) OVER so_far, 0) AS owned_units,
    coalesce(sum(f.locked) OVER so_far, 0) AS locked_units,
    coalesce(sum(f.collateral) OVER so_far, 0) AS collateral_units,
    coalesce(sum(f.fee) OVER so_far, 0) AS fee_units,
    coalesce(sum(f.stranded) OVER so_far, 0) AS stranded_units
FROM lp AS l
CROSS JOIN custodies AS c
LEFT JOIN flows AS f ON f.sampled_at = l.timestamp AND f.custody = c.custody
WINDOW so_far AS (PARTITION BY c.custody ORDER BY l.timestamp);

CREATE TEMP TABLE market_sums AS
WITH flows AS (
    SELECT
        sampled_at, market, side,
        sum(size_usd) AS size_usd, sum(locked_units) AS locked_units,
        count(*) FILTER (kind IN ('open', 'limit_open'))
            - count(*) FILTER (kind IN ('close', 'stop_loss', 'take_profit', 'liquidation')) AS positions
    FROM placed
    WHERE market IS NOT NULL
    GROUP BY ALL
)
SELECT
    l.timestamp,
    k.market,
    s.side,
    coalesce(sum(f.size_usd) OVER so_far, 0) AS size_usd,
    coalesce(sum(f.locked_units) OVER so_far, 0) AS locked_units,
    coalesce(sum(f.positions) OVER so_far, 0) AS positions
FROM lp AS l
CROSS JOIN market_custodies AS k
CROSS JOIN (VALUES ('long'), ('short')) AS s (side)
LEFT JOIN flows AS f ON f.sampled_at = l.timestamp AND f.market = k.market AND f.side = s.side
WINDOW so_far AS (PARTITION BY k.market, s.side ORDER BY l.timestamp);

CREATE TEMP TABLE pool_sums AS
WITH flows AS (
    SELECT
        sampled_at,
        sum(lp_units) AS lp_units,
        sum(owned_value_usd) AS owned_value_usd,
        sum(drift_usd) AS drift_usd,
        sum(lp_flow_usd) AS lp_flow_usd,
        sum(open_fee_usd) AS open_fee_usd,
        sum(exit_fee_usd) AS exit_fee_usd,
        sum(borrow_fee_usd + prepaid_borrow_usd) AS borrow_fee_usd,
        sum(lp_fee_usd) AS lp_fee_usd,
        sum(funding_usd) AS funding_usd,
        coalesce(sum(protocol_share_usd + referrer_share_usd) FILTER (fee_booking = 'debt'), 0) AS owed_usd,
        sum(reserved_fee_usd) AS reserved_fee_usd,
        sum(liquidator_usd) AS liquidator_usd,
        sum(margin_usd) AS margin_usd,
        sum(debt_paid_usd) AS debt_paid_usd,
        sum(pnl_usd) AS pnl_usd,
        sum(bad_debt_usd) AS bad_debt_usd,
        sum(confiscated_usd) AS confiscated_usd,
        sum(spread_usd) AS spread_usd
    FROM placed
    GROUP BY ALL
)
SELECT l.timestamp, coalesce(sum(COLUMNS(f.* EXCLUDE (sampled_at))) OVER (ORDER BY l.timestamp), 0)
FROM lp AS l
LEFT JOIN flows AS f ON f.sampled_at = l.timestamp;
