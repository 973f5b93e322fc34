-- utilisation: per sample and custody, locked over owned tokens.
SELECT run, custody AS series, timestamp, utilisation AS value FROM pool
