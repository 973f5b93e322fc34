"""Every public number of Jupiter Perps that the engine models: real round trips, worked examples, liquidity fees.

The program is closed; rules are those of the official example code and of events seen (spec 3).
"""

from tests.golden import jupiter_docs, jupiter_tax, jupiter_trips
from tests.golden.script import Scenario

SCENARIOS: list[Scenario] = [*jupiter_trips.SCENARIOS, *jupiter_docs.SCENARIOS, *jupiter_tax.SCENARIOS]

# (source, number, why no scenario can reach it)
UNREACHABLE = [
    (
        jupiter_trips.SOURCE + " 13 April 09:00",
        "size 2,256,458.07, open fee 3,060.76, closing fee 3,292.59",
        "13.564 bps: the fee of April 2025 was not in whole bps as in the later example code",
    ),
    (
        jupiter_trips.SOURCE + " 13 April 14:41",
        "size 1,607,913.34, closing fee 3,028.93",
        "18.8 bps with interest: the same",
    ),
    ("7-jlp/2-How-JLP-Works.md L64-94", "5.625 dollars for 0.025 % of the pool", "the LPs' 22,500 times that share"),
    ("2-how-it-works.md L502-534", "95.86", "charges the close on the exit notional; the program does not"),
    ("docs.jup.ag loans", "9,000 lent on 10,000 of JLP, liquidated at 9,500", "loans on JLP are not modelled"),
]

__all__ = ["SCENARIOS", "UNREACHABLE"]
