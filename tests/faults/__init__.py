"""Faults: changes to a small world that runs, and the message that each must bring about."""
