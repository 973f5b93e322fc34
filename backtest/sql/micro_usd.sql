-- micro_usd(amount): dollars, a DECIMAL of six digits, as a whole number of micro-dollars; of_micro(n): the way back.
-- Exact: neither passes through a float.
CREATE OR REPLACE MACRO micro_usd(amount) AS
    CAST(CAST(amount AS DECIMAL(38, 6)) * 1000000 AS HUGEINT);
CREATE OR REPLACE MACRO of_micro(n) AS
    CAST(CAST(n AS DECIMAL(30, 0)) * CAST(0.000001 AS DECIMAL(6, 6)) AS DECIMAL(18, 6));
