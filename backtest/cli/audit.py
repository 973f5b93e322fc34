"""perpool audit: prove a run from its files."""

import json
from pathlib import Path

import click


@click.command(name="audit")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Write the checks as JSON.")
@click.pass_context
def audit(ctx: click.Context, run: Path, as_json: bool) -> None:
    """Check every identity of the books of RUN, from its files alone; exit 1 when one does not hold.

    \b
    Example:
      perpool audit runs/alp
    """
    from backtest.audit import audit as run_audit
    from backtest.audit import report

    checks = run_audit(run)
    if as_json:
        click.echo(json.dumps([check._asdict() for check in checks], indent=2, default=str))
    else:
        for line in report(checks):
            click.echo(line)
    if not all(check.passed for check in checks):
        ctx.exit(1)
