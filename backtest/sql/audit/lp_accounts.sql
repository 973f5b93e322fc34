-- no LP account ever holds less than nothing, and LP tokens move with an account
SELECT seq, kind, lp_account, lp_units, balance
FROM (
    SELECT seq, kind, lp_account, lp_units, sum(lp_units) OVER (PARTITION BY lp_account ORDER BY seq) AS balance
    FROM events
    WHERE lp_units <> 0
)
WHERE balance < 0 OR lp_account IS NULL
ORDER BY seq
