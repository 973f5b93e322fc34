"""Price history in: import, derive, fetch, check and repair."""
