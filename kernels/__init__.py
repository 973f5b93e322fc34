"""Functional core of perpool: jitted formulas and loops over columns. No files, names, clocks or strings."""
