"""`perpool flow schema`: the columns of an order file."""

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the schema as JSON.")
def schema(as_json: bool) -> None:
    """Print the columns of an order file: types, units, and which actions need them.

    \b
    Example:
      perpool flow schema
    """
    from backtest.order_schema import schema_table

    rows = schema_table()
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(f"{row['column']}  [{row['type']}{', ' if row['unit'] else ''}{row['unit']}]")
        for name in ("meaning", "required by", "optional for"):
            if row[name]:
                click.echo(click.wrap_text(f"{name}: {row[name]}", 100, "    ", "        "))
