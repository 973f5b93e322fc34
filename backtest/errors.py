"""What goes wrong at the boundary, said once, with an exit code; never a traceback for the user."""


class PerpoolError(Exception):
    """A run or query failed on its inputs. The message names file, row, column, value, and what to do next."""

    exit_code = 1


class UsageError(PerpoolError):
    """The command line or a configuration file is wrong."""

    exit_code = 2
