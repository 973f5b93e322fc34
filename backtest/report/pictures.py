"""Two pictures of a run for a README: the LP price against its basket, and where the change of AUM came from."""

from pathlib import Path

from backtest.errors import PerpoolError
from backtest.report.browser import find_browser, screenshot
from backtest.report.page import Figure, picture_page
from backtest.report.section_return import benchmark, waterfall
from backtest.report.subject import Hedge, opened

_WIDTH = 860


def pictures(run: Path | str, folder: Path | str) -> list[Path]:
    """Write `lp_price.png` and `attribution.png` of the run into `folder`; returns their paths.

    Raises PerpoolError when the run cannot be read or no Chromium is installed.
    """
    find_browser()
    folder = Path(folder)
    with opened([run], Hedge()) as subject:
        figures = {"lp_price": benchmark(subject), "attribution": waterfall(subject)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PerpoolError(f"{folder} is no folder to write pictures into: {error.strerror}") from error
    return [_picture(figure, folder / f"{name}.png") for name, figure in figures.items()]


def _picture(figure: Figure, out: Path) -> Path:
    height = 150 + (figure.spec or {"layout": {}})["layout"].get("height", 360)
    screenshot(picture_page(figure), out, _WIDTH, height)
    return out
