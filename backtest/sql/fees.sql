-- fees: one row per fee and beneficiary: kind exit, liquidation, borrow, add_liquidity or remove_liquidity.
-- A row of events splits the sum of its exit and borrow fee, so each part is shared out by proportion: protocol and
-- referrer get floor(share * exit / sum) micro-dollars of the exit fee and the rest of their share from the borrow fee,
-- LPs get what is left of each. Sums by kind and sums by beneficiary both equal those of events, to the micro-dollar.
CREATE OR REPLACE VIEW fees AS
WITH micro AS (
    SELECT
        run, timestamp, seq, kind AS event_kind, order_id, position_no, market, side, custody,
        exit_fee_usd, borrow_fee_usd, lp_fee_usd, lp_share_usd, protocol_share_usd, referrer_share_usd,
        CAST(CAST(exit_fee_usd AS DECIMAL(38, 6)) * 1000000 AS HUGEINT) AS exit_fee,
        CAST(CAST(exit_fee_usd + borrow_fee_usd AS DECIMAL(38, 6)) * 1000000 AS HUGEINT) AS both_fees,
        CAST(CAST(protocol_share_usd AS DECIMAL(38, 6)) * 1000000 AS HUGEINT) AS protocol_share,
        CAST(CAST(referrer_share_usd AS DECIMAL(38, 6)) * 1000000 AS HUGEINT) AS referrer_share
    FROM events
    WHERE exit_fee_usd <> 0 OR borrow_fee_usd <> 0 OR lp_fee_usd <> 0
),
split AS (
    SELECT
        *,
        CASE WHEN both_fees = 0 THEN 0.0 ELSE CAST(CAST(protocol_share * exit_fee // both_fees AS DECIMAL(30, 0))
            * CAST(0.000001 AS DECIMAL(6, 6)) AS DECIMAL(18, 6)) END AS exit_protocol_usd,
        CASE WHEN both_fees = 0 THEN 0.0 ELSE CAST(CAST(referrer_share * exit_fee // both_fees AS DECIMAL(30, 0))
            * CAST(0.000001 AS DECIMAL(6, 6)) AS DECIMAL(18, 6)) END AS exit_referrer_usd
    FROM micro
),
parts AS (
    SELECT
        run, timestamp, seq, order_id, position_no, market AS market_symbol, side, custody AS collateral_symbol,
        unnest(
            CASE WHEN lp_fee_usd <> 0 OR event_kind IN ('add_liquidity', 'remove_liquidity') THEN [
                {'kind': event_kind, 'beneficiary': 'lp', 'amount_usd': lp_share_usd},
                {'kind': event_kind, 'beneficiary': 'protocol', 'amount_usd': protocol_share_usd},
                {'kind': event_kind, 'beneficiary': 'referrer', 'amount_usd': referrer_share_usd}
            ] ELSE [
                {'kind': exit_kind, 'beneficiary': 'lp', 'amount_usd':
                    exit_fee_usd - exit_protocol_usd - exit_referrer_usd},
                {'kind': exit_kind, 'beneficiary': 'protocol', 'amount_usd': exit_protocol_usd},
                {'kind': exit_kind, 'beneficiary': 'referrer', 'amount_usd': exit_referrer_usd},
                {'kind': 'borrow', 'beneficiary': 'lp', 'amount_usd':
                    lp_share_usd - (exit_fee_usd - exit_protocol_usd - exit_referrer_usd)},
                {'kind': 'borrow', 'beneficiary': 'protocol', 'amount_usd': protocol_share_usd - exit_protocol_usd},
                {'kind': 'borrow', 'beneficiary': 'referrer', 'amount_usd': referrer_share_usd - exit_referrer_usd}
            ] END,
            recursive := true
        )
    FROM (SELECT *, CASE WHEN event_kind = 'liquidation' THEN 'liquidation' ELSE 'exit' END AS exit_kind FROM split)
)
SELECT
    run, timestamp, seq, kind, beneficiary, CAST(amount_usd AS DECIMAL(18, 6)) AS amount_usd,
    order_id, position_no, market_symbol, side, collateral_symbol
FROM parts
WHERE amount_usd <> 0;
