-- on every event, the reserve takes what its rule says: all fees, the protocol's part, or nothing; tokens go with dollars
SELECT
    e.seq, e.kind, s.fee_booking, e.reserved_fee_usd, e.fee_units, e.open_fee_usd, e.exit_fee_usd, e.borrow_fee_usd,
    e.lp_fee_usd, e.protocol_share_usd
FROM events AS e
JOIN stages AS s ON e.timestamp >= s.from_at AND (s.until_at IS NULL OR e.timestamp < s.until_at)
WHERE sign(e.reserved_fee_usd) * sign(e.fee_units) < 0
    OR CASE
        -- emptying a reserve into the pool is no fee; debts of an earlier rule may still be paid
        WHEN e.kind = 'distribute_fees' THEN e.reserved_fee_usd > 0 OR e.fee_units > 0
        WHEN s.fee_booking = 'reserve' THEN
            e.reserved_fee_usd <> e.open_fee_usd + e.exit_fee_usd + e.borrow_fee_usd + e.lp_fee_usd
        WHEN s.fee_booking = 'protocol_reserve' THEN e.reserved_fee_usd <> e.protocol_share_usd
        ELSE e.reserved_fee_usd <> 0 OR e.fee_units <> 0
    END
ORDER BY e.seq
