-- on every event, open + exit + borrow + LP fee = shares of LPs + protocol + referrer (identity C)
SELECT
    seq, kind, open_fee_usd, exit_fee_usd, borrow_fee_usd, lp_fee_usd, lp_share_usd, protocol_share_usd,
    referrer_share_usd
FROM events
WHERE open_fee_usd + exit_fee_usd + borrow_fee_usd + lp_fee_usd
    <> lp_share_usd + protocol_share_usd + referrer_share_usd
ORDER BY seq
