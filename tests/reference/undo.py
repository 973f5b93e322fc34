"""All or nothing: an action that is refused half way leaves the books as they were."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.reference.venue import Record, Refused


@contextmanager
def all_or_nothing(*records: Record) -> Iterator[None]:
    """Put the given records back as they were when the block raises Refused."""
    before = [dict(vars(record)) for record in records]
    try:
        yield
    except Refused:
        for record, fields in zip(records, before, strict=True):
            vars(record).update(fields)
        raise
