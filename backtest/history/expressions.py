"""Expressions over prices, such as `BTCUSD / BTCUSDC` or `"SOL/USD" * 1.18`: read into a tree.

sum      = product (("+" | "-") product)*
product  = factor (("*" | "/") factor)*
factor   = "-" factor | "(" sum ")" | number | symbol
"""

import re
from typing import NamedTuple, NoReturn

from backtest.errors import UsageError

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<bare>[A-Za-z_][\w.:]*)"
    r"|\"(?P<double>[^\"]+)\"|`(?P<back>[^`]+)`|(?P<sign>[-+*/()]))"
)
_DEEPEST = 100


class Symbol(NamedTuple):
    """The price of a symbol."""

    name: str


class Operation(NamedTuple):
    """Two expressions and the sign between them."""

    sign: str
    left: "Node"
    right: "Node"


Node = float | Symbol | Operation


def parse(text: str) -> Node:
    """The tree of an expression; UsageError pointing to the place where it goes wrong."""
    return _Parser(text).whole()


def symbols(node: Node) -> list[str]:
    """The symbols that occur, each once, in order of appearance."""
    if isinstance(node, Symbol):
        return [node.name]
    if isinstance(node, Operation):
        return list(dict.fromkeys(symbols(node.left) + symbols(node.right)))
    return []


class _Parser:
    """Recursive descent over one text; holds the place."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.depth = text, 0, 0

    def whole(self) -> Node:
        node = self.sum()
        if self.text[self.at :].strip():
            self.fail("an operator (+ - * /) or the end")
        return node

    def sum(self) -> Node:
        node = self.product()
        while sign := self.sign("+-"):
            node = Operation(sign, node, self.product())
        return node

    def product(self) -> Node:
        node = self.factor()
        while sign := self.sign("*/"):
            node = Operation(sign, node, self.factor())
        return node

    def factor(self) -> Node:
        self.depth += 1
        if self.depth > _DEEPEST:
            self.fail(f"at most {_DEEPEST} signs and parentheses within one another")
        node = self.atom()
        self.depth -= 1
        return node

    def atom(self) -> Node:
        if self.sign("-"):
            return Operation("-", 0.0, self.factor())
        if self.sign("("):
            node = self.sum()
            if not self.sign(")"):
                self.fail("a closing parenthesis")
            return node
        token = _TOKEN.match(self.text, self.at)
        if token is None or token["sign"]:
            self.fail("a symbol, a number or a parenthesis")
        self.at = token.end()
        if token["number"]:
            return float(token["number"])
        return Symbol(token["bare"] or token["double"] or token["back"])

    def sign(self, wanted: str) -> str:
        token = _TOKEN.match(self.text, self.at)
        if token is None or not token["sign"] or token["sign"] not in wanted:
            return ""
        self.at = token.end()
        return token["sign"]

    def fail(self, expected: str) -> NoReturn:
        rest = self.text[self.at :]
        place = self.at + len(rest) - len(rest.lstrip()) + 1
        found = repr(rest.strip()[:20]) if rest.strip() else "the end"
        raise UsageError(
            f"{self.text!r}: at character {place} there is {found}, expected {expected}; "
            'a symbol that holds / or - is written in double quotes, such as "USDC/USD"'
        )
