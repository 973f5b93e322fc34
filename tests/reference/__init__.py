"""The slow, obvious, exact twin of the engine: one pool, Python integers, every position visited at every tick.

Nothing here is shared with `kernels` but the codes and the names of the record fields, so that agreement
between the two means something. Sources cited as "spec 1.x" are sections of the Solana venues specification.
"""

from tests.reference.run import run

__all__ = ["run"]
