"""Types of options that several commands share."""

import click


class WholeNumber(click.IntRange):
    """An integer in a range, called by a name that makes sense in a message."""

    name = "whole number"
