"""A run, or several side by side, as one self-contained page: pictures, the numbers behind them, and their SQL."""
