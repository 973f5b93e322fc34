"""Groups whose commands are imported when they are called, so that help answers at once."""

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """A group of `members`: name of a command to "module:attribute", in the order of the help."""

    def __init__(self, *args: Any, members: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._members = members

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._members)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._members:
            return None
        module, attribute = self._members[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command
