"""The command line. Every command lives in its own file and is imported when it is called."""

import importlib
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import click

from backtest import __version__
from backtest.errors import PerpoolError

# Command, and the module and attribute that hold it, in the order of the help.
_COMMANDS = {
    "run": "backtest.cli.run:run",
    "sql": "backtest.cli.sql:sql",
    "audit": "backtest.cli.audit:audit",
    "flow": "backtest.cli.flow:flow",
    "protocols": "backtest.cli.protocols:protocols",
    "export": "backtest.cli.export:export",
    "bench": "backtest.cli.bench:bench",
    "warmup": "backtest.cli.warmup:warmup",
}


class LazyGroup(click.Group):
    """A group whose commands are imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="perpool")
def perpool() -> None:
    """Replay peer-to-pool perpetuals over historical prices, exactly, and ask the result in SQL.

    \b
    Example:
      perpool run                            # Adrena's ALP on the bundled sample
      perpool sql runs/sample "FROM overview"
    """


def _terminate(signum: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main() -> NoReturn:
    """Entry point: errors become one line on stderr and an exit code, never a traceback."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = perpool.main(standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except PerpoolError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted; nothing was written", err=True)
        sys.exit(1)
    except BrokenPipeError:
        # The reader (head, less) has seen enough; keep the interpreter from complaining while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
