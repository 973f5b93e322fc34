-- use: per custody, mean, highest and last utilisation, and mean and highest borrow rate per year, over the samples.
SELECT
    u.run,
    u.series AS custody,
    avg(u.value) AS mean_utilisation,
    max(u.value) AS highest_utilisation,
    arg_max(u.value, u.timestamp) AS last_utilisation,
    avg(b.value) AS mean_rate,
    max(b.value) AS highest_rate
FROM ({utilisation}) AS u
JOIN ({borrow_rate}) AS b ON b.run = u.run AND b.series = u.series AND b.timestamp = u.timestamp
GROUP BY u.run, u.series
ORDER BY mean_utilisation DESC, custody
