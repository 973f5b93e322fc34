"""A picture of a page, taken by Chromium without a window."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from backtest.errors import PerpoolError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=20000")
_SECONDS = 120


def find_browser() -> str:
    """The program; PerpoolError when none is installed."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise PerpoolError("pictures need Chromium or Chrome; install one, or open the page that -o writes")
    return found


def screenshot(page: str, out: Path, width: int, height: int) -> None:
    """Write the page, as wide and high as given in pixels, to the PNG file `out`."""
    browser = find_browser()
    with tempfile.TemporaryDirectory() as folder:
        source, picture = Path(folder) / "page.html", Path(folder) / "page.png"
        source.write_text(page, encoding="utf-8")
        words = [browser, *_OPTIONS, f"--user-data-dir={folder}/profile", f"--window-size={width},{height}"]
        try:
            subprocess.run(
                [*words, f"--screenshot={picture}", source.as_uri()], capture_output=True, check=False, timeout=_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise PerpoolError(
                f"{browser} gave no picture within {_SECONDS} s; open the page that -o writes"
            ) from error
        if not picture.is_file():
            raise PerpoolError(f"{browser} gave no picture; open the page that -o writes")
        shutil.move(picture, out)
