-- fees: one row per fee and beneficiary: kind open, exit, liquidation, borrow, add_liquidity, remove_liquidity,
-- issue_dollars, redeem_dollars or swap; beneficiary lp, protocol or referrer. Where fees go to a reserve, the part of
-- the LPs is theirs too, in the pool later or beside it (view `rewards`).
-- A row of events splits the sum of its open, exit and borrow fee, so each part is shared out by proportion: protocol
-- and referrer get floor(share * open / sum) micro-dollars of the open fee, floor(share * (open + exit) / sum) of open
-- and exit fee and the rest of their share from the borrow fee; LPs get what is left of each. A reserve for the protocol
-- alone takes nothing of the borrow fee. Sums by kind and sums by beneficiary equal those of events, to the micro-dollar.
CREATE OR REPLACE VIEW fees AS
WITH micro AS (
    SELECT
        e.run, e.timestamp, e.seq, e.kind AS event_kind, e.order_id, e.position_no, e.market, e.side, e.custody,
        e.open_fee_usd, e.exit_fee_usd, e.borrow_fee_usd, e.lp_fee_usd,
        e.lp_share_usd, e.protocol_share_usd, e.referrer_share_usd,
        micro_usd(e.open_fee_usd) AS open_fee,
        micro_usd(e.open_fee_usd + e.exit_fee_usd) AS trade_fees,
        greatest(micro_usd(
            e.open_fee_usd + e.exit_fee_usd
            + CASE WHEN s.fee_booking = 'protocol_reserve' THEN 0 ELSE e.borrow_fee_usd END
        ), 1) AS shared_fees,
        micro_usd(e.protocol_share_usd) AS protocol_share,
        micro_usd(e.referrer_share_usd) AS referrer_share
    FROM events AS e
    JOIN stages AS s
        ON s.run = e.run AND e.timestamp >= s.from_at AND (s.until_at IS NULL OR e.timestamp < s.until_at)
    WHERE e.open_fee_usd <> 0 OR e.exit_fee_usd <> 0 OR e.borrow_fee_usd <> 0 OR e.lp_fee_usd <> 0
),
split AS (
    SELECT
        *,
        of_micro(protocol_share * open_fee // shared_fees) AS open_protocol_usd,
        of_micro(referrer_share * open_fee // shared_fees) AS open_referrer_usd,
        of_micro(protocol_share * trade_fees // shared_fees - protocol_share * open_fee // shared_fees)
            AS exit_protocol_usd,
        of_micro(referrer_share * trade_fees // shared_fees - referrer_share * open_fee // shared_fees)
            AS exit_referrer_usd
    FROM micro
),
parts AS (
    SELECT
        run, timestamp, seq, order_id, position_no, market AS market_symbol, side, custody AS collateral_symbol,
        unnest(
            CASE WHEN lp_fee_usd <> 0 THEN [
                {'kind': lp_kind, 'beneficiary': 'lp', 'amount_usd': lp_share_usd},
                {'kind': lp_kind, 'beneficiary': 'protocol', 'amount_usd': protocol_share_usd},
                {'kind': lp_kind, 'beneficiary': 'referrer', 'amount_usd': referrer_share_usd}
            ] ELSE [
                {'kind': 'open', 'beneficiary': 'lp', 'amount_usd': open_lp_usd},
                {'kind': 'open', 'beneficiary': 'protocol', 'amount_usd': open_protocol_usd},
                {'kind': 'open', 'beneficiary': 'referrer', 'amount_usd': open_referrer_usd},
                {'kind': exit_kind, 'beneficiary': 'lp', 'amount_usd': exit_lp_usd},
                {'kind': exit_kind, 'beneficiary': 'protocol', 'amount_usd': exit_protocol_usd},
                {'kind': exit_kind, 'beneficiary': 'referrer', 'amount_usd': exit_referrer_usd},
                {'kind': 'borrow', 'beneficiary': 'lp', 'amount_usd': lp_share_usd - open_lp_usd - exit_lp_usd},
                {'kind': 'borrow', 'beneficiary': 'protocol', 'amount_usd':
                    protocol_share_usd - open_protocol_usd - exit_protocol_usd},
                {'kind': 'borrow', 'beneficiary': 'referrer', 'amount_usd':
                    referrer_share_usd - open_referrer_usd - exit_referrer_usd}
            ] END,
            recursive := true
        )
    FROM (
        SELECT
            *,
            open_fee_usd - open_protocol_usd - open_referrer_usd AS open_lp_usd,
            exit_fee_usd - exit_protocol_usd - exit_referrer_usd AS exit_lp_usd,
            CASE WHEN event_kind = 'liquidation' THEN 'liquidation' ELSE 'exit' END AS exit_kind,
            CASE WHEN event_kind IN ('swap_in', 'swap_out') THEN 'swap' ELSE event_kind END AS lp_kind
        FROM split
    )
)
SELECT
    run, timestamp, seq, kind, beneficiary, CAST(amount_usd AS DECIMAL(18, 6)) AS amount_usd,
    order_id, position_no, market_symbol, side, collateral_symbol
FROM parts
WHERE amount_usd <> 0;
