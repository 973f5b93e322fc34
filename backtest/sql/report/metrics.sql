-- metrics: the figures of `perpool metrics`, but for the markouts.
FROM metrics
