-- at every sample, fees owed = shares of protocol and referrers that no reserve took - paid out by distributions
SELECT l.timestamp, l.fees_debt_usd, s.owed_usd AS earned_usd, s.debt_paid_usd AS paid_usd
FROM lp AS l
JOIN pool_sums AS s ON s.timestamp = l.timestamp
WHERE l.fees_debt_usd <> s.owed_usd - s.debt_paid_usd
ORDER BY l.timestamp
