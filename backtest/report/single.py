"""The page of one run: its headline figures, then every chapter."""

from pathlib import Path

from backtest.report.answers import Row
from backtest.report.page import Page, render
from backtest.report.section_exposure import exposure
from backtest.report.section_pool import pool
from backtest.report.section_provenance import provenance
from backtest.report.section_return import attribution, returns
from backtest.report.section_risk import risk
from backtest.report.section_traders import liquidations, traders
from backtest.report.subject import Hedge, Subject, opened

_SECTIONS = (returns, attribution, pool, exposure, traders, liquidations, risk, provenance)


def report(run: Path | str, hedge: Hedge | None = None) -> str:
    """The HTML page of a run directory. Raises PerpoolError when it cannot be read or plotly is missing."""
    with opened([run], hedge or Hedge()) as subject:
        sections = [section(subject) for section in _SECTIONS]
        title, kicker = titles(subject)
        return render(Page(title, kicker, opening(subject), sections, subject.answers.asked))


def titles(subject: Subject) -> tuple[str, str]:
    """The venue, and the run with its span of time."""
    manifest = subject.manifests[0]
    protocol, span = manifest.get("protocol") or {}, manifest.get("span") or {}
    days = " to ".join(str(span[end])[:10] for end in ("start", "end") if span.get(end))
    kicker = f"Run {subject.runs[0]}, {days}" if days else f"Run {subject.runs[0]}"
    return str(protocol.get("title") or protocol.get("name") or subject.runs[0]), kicker


def opening(subject: Subject) -> str:
    """What happened in two sentences, and the headline figures."""
    head = subject.answers.row("headline")
    lede = (
        f"In {head.show('days', 'days')} days the LP token returned {head.show('lp_return', 'gain_percent')}; the "
        f"tokens the pool began with, held, {head.show('basket_return', 'gain_percent')}. Traders opened "
        f"{head.show('positions_opened', 'count')} positions and settled {head.show('trader_net_usd', 'gain_usd')} "
        "after everything they paid."
    )
    tiles = (
        ("LP return", head.show("lp_return", "gain_percent"), _from_price(head)),
        (
            "Against its basket",
            head.show("against_basket", "gain_points"),
            "LP token with rewards, less the basket held",
        ),
        ("APR from fees", head.show("fee_apr", "percent"), "fees LPs kept over mean AUM, simple"),
        ("Deepest drawdown", head.show("deepest_drawdown", "percent"), "of the LP price, over the samples"),
        ("AUM", head.show("aum_end_usd", "usd"), f"from {head.show('aum_start_usd', 'usd')}"),
        ("Fees", head.show("fees_usd", "usd"), f"settled, of {head.show('volume_usd', 'usd')} volume"),
        (
            "Traders, net",
            head.show("trader_net_usd", "gain_usd"),
            f"{head.show('trader_pnl_usd', 'gain_usd')} before fees",
        ),
        ("Liquidations", head.show("liquidations", "count"), f"bad debt {head.show('bad_debt_usd', 'usd')}"),
    )
    return f'<p class="lede">{lede}</p>\n{tile_list(tiles)}'


def tile_list(tiles: tuple[tuple[str, str, str], ...]) -> str:
    """Figures with a name and a remark each; names and remarks are HTML too."""
    items = "".join(
        f'<div><dt>{name}</dt><dd class="value">{value}</dd><dd class="aside">{aside}</dd></div>'
        for name, value, aside in tiles
    )
    return f'<dl class="tiles">{items}</dl>'


def _from_price(head: Row) -> str:
    return f"{head.show('lp_price_start_usd', 'price')} to {head.show('lp_price_end_usd', 'price')}"
