-- while the pool is worth anything, what no source explains is at most one micro-dollar per custody and market side
SELECT l.timestamp, l.aum_usd, l.rounding_usd
FROM lp AS l
JOIN stages AS s ON l.timestamp >= s.from_at AND (s.until_at IS NULL OR l.timestamp < s.until_at)
WHERE l.aum_usd > 0
    -- this valuation does not take off what the pool owes
    AND NOT (s.valuation = 'collective_min_max' AND l.fees_debt_usd <> 0)
    AND abs(micro_usd(l.rounding_usd))
        > (SELECT count(*) FROM custodies) + 2 * (SELECT count(*) FROM market_custodies)
ORDER BY l.timestamp
