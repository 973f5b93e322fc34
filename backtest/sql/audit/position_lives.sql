-- every position opens once, at first; keeps its market, side and token; never holds less than nothing; ends empty
SELECT position_no, seq, kind, previous_kind, open_size_usd, open_collateral_usd, locked_units
FROM (
    SELECT
        position_no,
        seq,
        kind,
        lag(kind) OVER life AS previous_kind,
        sum(size_usd) OVER life AS open_size_usd,
        sum(collateral_usd) OVER life AS open_collateral_usd,
        sum(locked_units) OVER life AS locked_units,
        (position_id, market, side, custody)
            IS DISTINCT FROM first_value((position_id, market, side, custody)) OVER life AS changed
    FROM events
    WHERE position_no IS NOT NULL
    WINDOW life AS (PARTITION BY position_no ORDER BY seq)
)
WHERE (kind IN ('open', 'limit_open')) <> (previous_kind IS NULL)
    OR previous_kind IN ('close', 'stop_loss', 'take_profit', 'liquidation')
    OR least(open_size_usd, open_collateral_usd, locked_units) < 0
    OR changed
    OR kind IN ('close', 'stop_loss', 'take_profit', 'liquidation')
        AND greatest(open_size_usd, open_collateral_usd, locked_units) <> 0
ORDER BY position_no, seq
