"""The command line. Every command lives in its own file and is imported when it is called."""

import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

import click

from backtest import __version__
from backtest.cli.lazy import LazyGroup
from backtest.errors import PerpoolError

_CLEAN_UP_S = 5.0
# Command, and the module and attribute that hold it, in the order of the help.
_COMMANDS = {
    "run": "backtest.cli.run:run",
    "sql": "backtest.cli.sql:sql",
    "report": "backtest.cli.report:report",
    "compare": "backtest.cli.compare:compare",
    "metrics": "backtest.cli.metrics:metrics",
    "book": "backtest.cli.book:book",
    "stress": "backtest.cli.stress:stress",
    "audit": "backtest.cli.audit:audit",
    "prices": "backtest.cli.prices:prices",
    "flow": "backtest.cli.flow:flow",
    "protocols": "backtest.cli.protocols:protocols",
    "export": "backtest.cli.export:export",
    "bench": "backtest.cli.bench:bench",
    "warmup": "backtest.cli.warmup:warmup",
}


@click.group(cls=LazyGroup, members=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="perpool")
def perpool() -> None:
    """Replay peer-to-pool perpetuals over historical prices, exactly, and ask the result in SQL.

    \b
    Example:
      perpool run                            # Adrena's ALP on the bundled sample
      perpool sql runs/sample "FROM overview"
    """


def main() -> NoReturn:
    """Entry point: errors become one line on stderr and an exit code, never a traceback."""
    _catch_signals()
    try:
        code = perpool.main(prog_name="perpool", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except PerpoolError as error:
        _fail(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        _fail(_usage(error), 2)
    except (_Stopped, KeyboardInterrupt, click.Abort):
        click.echo("interrupted; nothing half-written is left", err=True)
        sys.exit(1)
    except BrokenPipeError:  # the reader (head, less) has seen enough; quietly, and with the code that click gives it
        _drop_stdout()
        sys.exit(1)
    except OSError as error:
        reason = " ".join(str(error.strerror or error).split())
        if error.filename:
            _fail(f"{error.filename}: {reason}; check the path, its permissions and the free space", 1)
        _drop_stdout()
        _fail(f"the output cannot be written: {reason}; free space or write it elsewhere", 1)
    finally:
        _set_signals(signal.SIG_IGN)  # what is left is to shut down


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"error: {message}", err=True)
    sys.exit(code)


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "perpool"
    return f"{error.format_message().rstrip('.')}; `{path} --help` shows what is possible"


def _drop_stdout() -> None:
    """Keep the interpreter from complaining about what it cannot write while it shuts down."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Stopped(BaseException):
    """A signal to stop. Not a KeyboardInterrupt, which click answers with an empty line."""


def _catch_signals() -> None:
    """The first signal to stop interrupts; a second one soon after does not disturb the cleaning up."""
    stopped_at = -_CLEAN_UP_S

    def stop(signum: int, frame: FrameType | None) -> None:
        nonlocal stopped_at
        if time.monotonic() - stopped_at >= _CLEAN_UP_S:
            stopped_at = time.monotonic()
            raise _Stopped

    _set_signals(stop)


def _set_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup, and background jobs
            signal.signal(number, handler)
