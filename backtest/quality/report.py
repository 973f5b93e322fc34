"""What a data-quality report holds, ready for JSON: times are ISO 8601 in UTC, and those of the rows."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Span:
    """First and last time, the UTC days that have rows, and the most common step.

    cadence_s: seconds; None where there are too few rows
    regular: whether a row is due at every step; if not, nothing can be missing
    """

    first: str
    last: str
    days: int
    cadence_s: float | None
    regular: bool


@dataclass(frozen=True)
class Gap:
    """A stretch without rows: the last before, the first after, and how many were due (None: irregular)."""

    after: str
    until: str
    lasts_s: float
    missing: int | None


@dataclass(frozen=True)
class Gaps:
    """Rows that are due in open hours, and those that are not there.

    hours: how closed hours are known: `given`, `weekly` (told from gaps that recur) or `none`
    closed, closed_rows: gaps, and rows in them, that closed hours account for
    asleep_rows: rows whose time is in given closed hours
    longest: by rows that are missing
    """

    due: int = 0
    missing: int = 0
    coverage: float | None = None
    count: int = 0
    longest: list[Gap] = field(default_factory=list)
    hours: str = "none"
    closed: int = 0
    closed_rows: int = 0
    asleep_rows: int = 0


@dataclass(frozen=True)
class Stale:
    """Runs of rows whose price does not move, the rows in them, and the longest."""

    runs: int = 0
    rows: int = 0
    longest_rows: int = 0
    longest_from: str | None = None


@dataclass(frozen=True)
class Jump:
    """A row apart from both neighbours: how far, as a fraction, and in which column."""

    time: str
    size: float
    column: str


@dataclass(frozen=True)
class Fault:
    """How many rows are faulty, what is wrong and what mends it, and where the first of them is."""

    rows: int
    problem: str
    mend: str
    file: str
    row: int
    time: str | None


@dataclass(frozen=True)
class SymbolReport:
    """What was found in the rows of one symbol.

    span: None where no row has a sound time
    untraded_rows: rows of volume 0; None without a column volume
    outliers: rows that jump from both neighbours; the largest are listed
    """

    symbol: str
    rows: int
    span: Span | None
    gaps: Gaps
    faults: dict[str, Fault]
    stale: Stale
    untraded_rows: int | None
    outliers: int
    largest: list[Jump]


@dataclass(frozen=True)
class Report:
    """What was found in a dataset.

    kind: candles or prices
    refused: files that cannot be read as price files, and why
    unnamed_rows: rows without a symbol
    joint: first and last time within the span of every symbol; None where there is none
    """

    kind: str
    files: list[str]
    refused: dict[str, str]
    unnamed_rows: int
    joint: tuple[str, str] | None
    symbols: list[SymbolReport]
