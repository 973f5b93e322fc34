"""Expressions by hand: what binds tighter, what is a symbol, where a fault is; and where a price surely only rises."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backtest.errors import UsageError
from backtest.history.evaluation import evaluate, is_monotone
from backtest.history.expressions import Operation, Symbol, parse, symbols

AT = {"A": np.array([8.0]), "B": np.array([2.0]), "C/D": np.array([5.0]), "e-f": np.array([3.0])}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A", 8.0),
        ("A / B / B", 2.0),
        ("A - B - B", 4.0),
        ("A - B * B", 4.0),
        ("(A - B) * B", 12.0),
        ("A + B / 4 * 2 - 1", 8.0),
        ("-A + 10", 2.0),
        ("--A", 8.0),
        ("A * -B", -16.0),
        ("2*(A-(B+1))", 10.0),
        (' "C/D" * `e-f` ', 15.0),
        ("A * 1.5e1", 120.0),
        ("A * .5", 4.0),
        ("A * 2.", 16.0),
        ("A / (B - 2)", np.inf),
    ],
)
def test_values(text, value):
    assert evaluate(parse(text), AT).tolist() == [value]


def test_trees_and_symbols():
    assert parse("A + B * 2") == Operation("+", Symbol("A"), Operation("*", Symbol("B"), 2.0))
    assert symbols(parse('B * A + "C/D" - B')) == ["B", "A", "C/D"]
    assert symbols(parse("jitoSOL_2.x:y")) == ["jitoSOL_2.x:y"]


@pytest.mark.parametrize(
    ("text", "place", "found", "expected"),
    [
        ("", 1, "the end", "a symbol, a number or a parenthesis"),
        ("A /", 4, "the end", "a symbol, a number or a parenthesis"),
        ("A / / B", 5, "'/ B'", "a symbol, a number or a parenthesis"),
        ("A  B", 4, "'B'", "an operator (+ - * /) or the end"),
        ("A ** B", 4, "'* B'", "a symbol, a number or a parenthesis"),
        ("(A + B", 7, "the end", "a closing parenthesis"),
        ("A)", 2, "')'", "an operator (+ - * /) or the end"),
        ("A % B", 3, "'% B'", "an operator (+ - * /) or the end"),
        ('"A', 1, "'\"A'", "a symbol, a number or a parenthesis"),
        ("2A", 2, "'A'", "an operator (+ - * /) or the end"),
        ("A + __import__('os')", 15, "\"('os')\"", "an operator (+ - * /) or the end"),
        ("(" * 200 + "A" + ")" * 200, 101, repr("(" * 20), "at most 100 signs and parentheses within one another"),
    ],
)
def test_faults_point_to_their_place(text, place, found, expected):
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert str(caught.value) == (
        f"{text!r}: at character {place} there is {found}, expected {expected}; "
        'a symbol that holds / or - is written in double quotes, such as "USDC/USD"'
    )


@pytest.mark.parametrize(
    ("text", "low", "high", "surely"),
    [
        ("A * 2", 1.0, 2.0, True),
        ("1 / A", 1.0, 2.0, True),
        ("100 - A", 1.0, 2.0, True),
        ("A * A", 1.0, 2.0, True),
        ("A * (4 - A)", 1.0, 1.5, True),
        ("A * (4 - A)", 1.0, 3.0, False),
        ("5 + 1 / (A - 2)", 1.0, 3.0, False),
        ("5 + 1 / (A - 2)", 2.5, 3.0, True),
    ],
)
def test_where_it_surely_rises_or_falls(text, low, high, surely):
    assert is_monotone(parse(text), np.array([low]), np.array([high])).tolist() == [surely]


NODES = st.recursive(
    st.just(Symbol("A")) | st.floats(-4, 4).map(lambda value: round(value, 2)),
    lambda nodes: st.builds(Operation, st.sampled_from("+-*/"), nodes, nodes),
    max_leaves=6,
)


@settings(deadline=None)
@given(NODES, st.floats(0.01, 10), st.floats(0, 3))
def test_what_is_called_monotone_is_between_its_ends(node, low, width):
    assume("A" in symbols(node))
    ends = np.array([low, low + width])
    if not is_monotone(node, ends[:1], ends[1:])[0]:
        return
    first, last = evaluate(node, {"A": ends})
    within = evaluate(node, {"A": np.linspace(*ends, 50)})
    slack = 1e-9 * (1 + abs(first) + abs(last) + np.abs(within).max())
    assert np.isfinite(within).all()
    assert (within >= min(first, last) - slack).all() and (within <= max(first, last) + slack).all()
