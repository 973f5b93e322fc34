-- figure_changes: every figure of `headlines` less that of the first run given.
SELECT
    h.run,
    {figure_changes_columns}
FROM headlines AS h
CROSS JOIN (FROM headlines WHERE run = {first}) AS f
ORDER BY h.run
