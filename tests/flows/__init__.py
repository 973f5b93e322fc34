"""Order flows: populations of traders and LPs, trade logs, summaries."""
