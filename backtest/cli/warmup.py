"""perpool warmup: compile the kernels now rather than at the first run."""

import click


@click.command(name="warmup")
def warmup() -> None:
    """Compile the kernels for this machine, once per version; later runs start at once.

    \b
    Example:
      perpool warmup
    """
    from backtest.warmup import is_cold, warm_up
    from kernels._jit import CACHE_DIR

    cold = is_cold()
    if cold:
        click.echo("compiling kernels, once per version and machine (about half a minute) ...", err=True)
    seconds = warm_up()
    if CACHE_DIR is None:
        click.echo(f"compiled in {seconds:.1f} s; no cache directory can be written, so every run compiles again")
    else:
        click.echo(f"{'compiled' if cold else 'already compiled; loaded'} in {seconds:.1f} s")
