"""Pages of runs: their numbers, their pictures, and what a browser says to them."""
