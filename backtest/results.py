"""A run as a value in Python: its tables as Polars frames and Arrow tables, its days, its metrics, and SQL over it."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from backtest import columns
from backtest.errors import PerpoolError, UsageError
from backtest.rundir import load_manifest
from backtest.summary import Summary, summarise
from backtest.toml_files import hint

if TYPE_CHECKING:
    from backtest.metrics import Metrics


def load(path: str | Path) -> "RunResult":
    """The run in a directory that `run` wrote; PerpoolError when it holds none that can be read."""
    return RunResult(Path(path), load_manifest(Path(path)))


@dataclass(frozen=True)
class RunResult:
    """A finished run: its directory and its manifest; everything else is read from the files when it is asked for.

    Frames hold the columns of the files (backtest.columns says what each one means): money as exact decimals, token
    amounts as whole units, times in UTC. A frame is read once and kept.
    """

    path: Path
    manifest: dict[str, Any]

    @cached_property
    def summary(self) -> Summary:
        """The headline figures, as `perpool run` prints them."""
        return summarise(self.path, self.manifest["counts"])

    @cached_property
    def metrics(self) -> "Metrics":
        """Return, risk and exposure, as `perpool metrics` prints them."""
        from backtest.metrics import of_run  # most runs do without a database

        return of_run(self.path)

    @cached_property
    def events(self) -> pl.DataFrame:
        """One row for everything that money did."""
        return self.scan("events").collect()

    @cached_property
    def positions(self) -> pl.DataFrame:
        """One row per position."""
        return self.scan("positions").collect()

    @cached_property
    def pool(self) -> pl.DataFrame:
        """One row per sample and custody."""
        return self.scan("pool").collect()

    @cached_property
    def markets(self) -> pl.DataFrame:
        """One row per sample and market."""
        return self.scan("markets").collect()

    @cached_property
    def lp(self) -> pl.DataFrame:
        """One row per sample: AUM, LP price and what they are made of."""
        return self.scan("lp").collect()

    @cached_property
    def rejections(self) -> pl.DataFrame:
        """One row per order that was not executed: refused, or still pending."""
        return self.scan("rejections").collect()

    def scan(self, table: str) -> pl.LazyFrame:
        """A table as a lazy frame, for runs that are larger than the memory; UsageError when there is no such table."""
        return pl.scan_parquet(self._file(table), glob=False)

    def arrow(self, table: str) -> pa.Table:
        """A table as it is in its file; UsageError when there is no such table."""
        return pq.read_table(self._file(table))

    def sql(self, query: str) -> pl.DataFrame:
        """The result of a query as `perpool sql` takes it, such as "FROM overview"; PerpoolError when it fails."""
        import duckdb

        from backtest import warehouse

        con = warehouse.open_run(self.path)
        try:
            found = con.sql(query)
            return pl.DataFrame() if found is None else pl.DataFrame(found.to_arrow_table())
        except duckdb.Error as error:
            raise PerpoolError(warehouse.explain(con, error)) from error
        finally:
            con.close()

    def returns(self) -> pl.DataFrame:
        """Columns day (UTC) and lp_return, a share: the LP token from midnight to midnight, rewards included.

        Null where it is not defined: the LP price at the start of the day was 0.
        """
        return self.sql("SELECT day, lp_return FROM daily_returns ORDER BY day")

    def returns_pandas(self) -> Any:
        """The same as a pandas Series on a daily DatetimeIndex without a zone, as tear-sheet packages take it.

        Raises PerpoolError where pandas is not installed.
        """
        try:
            import pandas as pd  # type: ignore[import-untyped,unused-ignore]
        except ImportError as error:
            raise PerpoolError(
                "returns_pandas needs pandas, which is not installed; install pandas, or use returns() for Polars"
            ) from error
        found = self.returns()
        days = pd.DatetimeIndex(found["day"].to_numpy(), name="day")
        return pd.Series(found["lp_return"].to_numpy(), index=days, name=self.path.name)

    def _file(self, table: str) -> Path:
        if table not in columns.TABLES:
            near = hint(table, columns.TABLES)
            raise UsageError(f"'{table}' is not a table of a run ({near}); sql() reads views, such as trades")
        return self.path / f"{table}.parquet"
