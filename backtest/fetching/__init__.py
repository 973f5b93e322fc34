"""Candles from exchanges, through ccxt."""
