"""GARCH(1,1): paths with the moments of the theory, fits that find what was drawn, and what is refused."""

import builtins
from typing import Any

import numpy as np
import pytest

from backtest.errors import PerpoolError, UsageError
from backtest.synthetic import garch
from backtest.synthetic.garch import Garch
from tests.synthetic.histories import z_score

SCALE = 1e-6  # variances of minutes
TRUE = Garch(
    mean=np.array([1e-5, 0.0]),
    omega=np.array([0.1, 0.3]) * SCALE,
    alpha=np.array([0.1, 0.15]),
    beta=np.array([0.8, 0.55]),
    correlation=np.array([[1.0, 0.6], [0.6, 1.0]]),
    dof=None,
)
FAT = Garch(TRUE.mean, TRUE.omega, TRUE.alpha, TRUE.beta, TRUE.correlation, 8.0)
PLAIN = Garch(np.zeros(2), np.full(2, SCALE), np.zeros(2), np.zeros(2), TRUE.correlation, 12.0)  # returns are z


def draw(model: Garch, steps: int, seed: int) -> np.ndarray:
    return garch.simulate(np.random.default_rng(seed), model, steps)


@pytest.fixture(scope="module")
def paths() -> list[np.ndarray]:
    return [draw(TRUE, 20_000, seed) - TRUE.mean for seed in range(40)]


def test_the_recursion_by_hand() -> None:
    """h is 1 of the unit at first (0.1 / (1 - 0.1 - 0.8)), then omega + (alpha z^2 + beta) h."""
    steps, model = 5, Garch(np.zeros(1), TRUE.omega[:1], TRUE.alpha[:1], TRUE.beta[:1], np.ones((1, 1)), None)
    z = np.random.default_rng(7).standard_normal((steps, 1))[:, 0]
    h, expected = 1.0, []
    for value in z:
        expected.append(np.sqrt(h) * value)
        h = 0.1 + 0.1 * value**2 * h + 0.8 * h
    assert draw(model, steps, 7)[:, 0] == pytest.approx(np.array(expected) * np.sqrt(SCALE), rel=1e-12)


def test_variance_is_omega_over_what_alpha_and_beta_leave(paths: list[np.ndarray]) -> None:
    assert TRUE.variance == pytest.approx([1.0 * SCALE, 1.0 * SCALE])
    for at in range(2):
        assert abs(z_score([(path[:, at] ** 2).mean() for path in paths], SCALE)) < 4
        assert abs(z_score([path[:, at].mean() for path in paths], 0.0)) < 4


def test_squared_returns_remember(paths: list[np.ndarray]) -> None:
    """Bollerslev (1986): rho_1 = alpha (1 - alpha beta - beta²) / (1 - 2 alpha beta - beta²), then × (alpha + beta)."""
    for at, (alpha, beta) in enumerate(zip(TRUE.alpha, TRUE.beta, strict=True)):
        first = alpha * (1 - alpha * beta - beta**2) / (1 - 2 * alpha * beta - beta**2)
        for lag in (1, 5):
            rho = first * (alpha + beta) ** (lag - 1)
            found = []
            for path in paths:  # mean zero where rho is right, so that no ratio of averages biases it
                excess = path[:, at] ** 2 / SCALE - 1
                found.append((excess[lag:] * excess[:-lag]).mean() - rho * (excess**2).mean())
            assert abs(z_score(found, 0.0)) < 4
            assert np.mean(found) < rho * 0.15  # and sharp enough to tell it from no memory


def test_kurtosis_is_that_of_the_theory(paths: list[np.ndarray]) -> None:
    for at, (alpha, beta) in enumerate(zip(TRUE.alpha, TRUE.beta, strict=True)):
        both = (alpha + beta) ** 2
        expected = 3 * (1 - both) / (1 - both - 2 * alpha**2)
        assert expected > 3.2
        assert abs(z_score([((path[:, at] ** 2 / SCALE) ** 2).mean() for path in paths], expected)) < 4


def test_innovations_have_unit_variance_their_correlation_and_fat_tails_together() -> None:
    """Student t with 12 degrees of freedom: kurtosis 3 (12 - 2) / (12 - 4) = 3.75, and squares that go together."""
    found = [draw(PLAIN, 20_000, seed) / np.sqrt(SCALE) for seed in range(60)]
    for at in range(2):
        assert abs(z_score([(z[:, at] ** 2).mean() for z in found], 1.0)) < 4
        assert abs(z_score([(z[:, at] ** 4).mean() for z in found], 3.75)) < 4
    assert abs(z_score([z.prod(axis=1).mean() for z in found], 0.6)) < 4
    # E z1^2 z2^2 = (1 + 2 rho^2) (12 - 2) / (12 - 4); 1 + 2 rho^2 for normal innovations
    assert abs(z_score([(z**2).prod(axis=1).mean() for z in found], 1.72 * 1.25)) < 4


@pytest.mark.parametrize("model", [TRUE, FAT], ids=["normal", "t"])
def test_fitting_what_was_drawn_gives_the_numbers_back(model: Garch) -> None:
    found = garch.fit(["SOL", "BTC"], draw(model, 60_000, 11), "normal" if model.dof is None else "t")
    assert found.alpha == pytest.approx(model.alpha, abs=0.02)
    assert found.beta == pytest.approx(model.beta, abs=0.04)
    assert found.omega == pytest.approx(model.omega, rel=0.2)
    assert found.variance == pytest.approx(model.variance, rel=0.05)
    assert found.mean == pytest.approx(model.mean, abs=4 * np.sqrt(SCALE / 60_000))
    assert found.correlation == pytest.approx(model.correlation, abs=0.02)
    assert found.dof is None if model.dof is None else found.dof == pytest.approx(model.dof, rel=0.1)


def test_the_fit_does_not_depend_on_the_size_of_returns() -> None:
    returns = draw(FAT, 5_000, 3)
    small, large = (garch.fit(["SOL", "BTC"], returns * times, "t") for times in (1.0, 1_000.0))
    assert large.omega == pytest.approx(small.omega * 1e6, rel=1e-3)
    assert large.alpha == pytest.approx(small.alpha, rel=1e-3)
    assert large.dof == pytest.approx(small.dof, rel=1e-3)


def test_symbols_that_follow_each_other_exactly_count_once() -> None:
    returns = draw(FAT, 20_000, 5)
    alone = garch.fit(["SOL"], returns[:, :1], "t")
    twice = garch.fit(["SOL", "jitoSOL"], returns[:, [0, 0]], "t")
    assert twice.dof == pytest.approx(alone.dof, rel=1e-3)
    drawn = draw(twice, 1_000, 1)
    assert drawn[:, 0] == pytest.approx(drawn[:, 1], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("returns", "message"),
    [
        (
            np.ones((499, 1)),
            "the history has 499 steps, too few for a GARCH fit, which needs 500; give a longer history, a smaller "
            "--every, or --method bootstrap",
        ),
        (
            np.zeros((500, 1)),
            "USDC does not move; leave it out with --symbols, or hold it with --keep USDC=PRICE",
        ),
    ],
)
def test_what_cannot_be_fitted_is_refused(returns: np.ndarray, message: str) -> None:
    with pytest.raises(PerpoolError) as caught:
        garch.fit(["USDC"], returns, "t")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("seed", "lasting"), [(0, r"a lasting volatility [\d,]+\.\d times that of the history"), (1, "no .*")]
)
def test_a_fit_that_is_not_stationary_is_refused_with_its_numbers(seed: int, lasting: str) -> None:
    """From its middle on the history is five times as wild."""
    wild = np.where(np.arange(1_000) < 500, 1, 5)[:, None]
    returns = np.random.default_rng(seed).standard_normal((1_000, 1)) * wild * 1e-3
    shape = (
        rf"the GARCH fit of SOL is not stationary enough: alpha 0\.\d{{4}} \+ beta 0\.\d{{4}} = 1\.\d{{6}}, {lasting}; "
    )
    shape += "give a larger --every, such as 1h, a calmer history, or --method bootstrap"
    with pytest.raises(PerpoolError, match=f"^{shape}$"):
        garch.fit(["SOL"], returns, "t")


def test_an_optimiser_that_gives_up_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from arch.univariate import ConstantMean

    real = ConstantMean.fit
    monkeypatch.setattr(ConstantMean, "fit", lambda self, **options: real(self, **options, options={"maxiter": 1}))
    with pytest.raises(PerpoolError) as caught:
        garch.fit(["SOL"], draw(TRUE, 1_000, 1)[:, :1], "t")
    assert str(caught.value) == (
        "the GARCH fit of SOL did not converge (code 9 of the optimiser); give a longer history, a larger --every, "
        "or --method bootstrap"
    )


def test_without_the_package_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("arch"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(UsageError) as caught:
        garch.fit(["SOL"], draw(TRUE, 1_000, 1)[:, :1], "t")
    assert str(caught.value) == "--method garch needs the package arch; install it: pip install 'perpool[garch]'"
