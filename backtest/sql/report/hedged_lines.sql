-- hedged_lines: the two lines of `hedged`.
SELECT run, series, timestamp, value
FROM ({hedged})
UNPIVOT (value FOR series IN (hedged AS 'Hedged', unhedged AS 'Unhedged, with rewards'))
