"""Benchmarks behind `perpool bench`: parity first, then ratios against a named baseline in the same run."""
