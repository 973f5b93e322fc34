"""TOML files to typed structs, with one-line errors that name file, key, value, unit and what is allowed.

msgspec holds the types and their limits; this module words the faults. A row of an array of tables is named by its
`symbol` where it has one: `custody.USDC.conf_bps`.
"""

import difflib
import math
import tomllib
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from backtest.errors import UsageError

T = TypeVar("T", bound=msgspec.Struct)
Table = dict[str, Any]
_LARGEST = 10**18


def read_toml(path: Path) -> Table:
    """The tables of a TOML file; `UsageError` when it cannot be read or is no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); give a TOML file") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is not UTF-8 text; give a TOML file") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: is not TOML ({str(error).rstrip('.')}); correct it there") from None


def hint(word: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?`, or the known words when none is near."""
    words = list(known)
    close = difflib.get_close_matches(word, words, 1, cutoff=0.6)
    if not close:  # case and punctuation only, or a part of it
        folded = {_fold(item): item for item in words}
        close = [folded[_fold(word)]] if _fold(word) in folded else []
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(words) or 'none'}"


def exact(value: float, scale: int) -> int:
    """`value * scale` as the decimal it was written as; ValueError when that is no whole number."""
    scaled = Decimal(repr(value)) * scale
    if scaled != int(scaled):
        raise ValueError(f"{value!r} is finer than 1/{scale}")
    return int(scaled)


def build(raw: Table, kind: type[T], where: str) -> T:
    """Check `raw` against the struct `kind` and convert it; `UsageError` naming `where`, key and value otherwise."""
    return msgspec.convert(_checked(raw, inspect.type_info(kind), "", where, {}), kind)


def build_field(value: Any, kind: type[msgspec.Struct], key: str, path: str, where: str) -> Any:
    """`value` checked and converted as field `key` of the struct `kind`; `path` is what a fault calls it."""
    field = _field(kind, key)
    return msgspec.convert(_checked(value, field.type, path, where, {}), _annotation(kind, key))


def allowed_for(kind: type[msgspec.Struct], key: str) -> str:
    """What field `key` of the struct `kind` may hold, in words."""
    return _allowed(_field(kind, key).type, {})


@lru_cache
def _field(kind: type[msgspec.Struct], key: str) -> inspect.Field:
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    return next(field for field in info.fields if field.encode_name == key)


@lru_cache
def _annotation(kind: type[msgspec.Struct], key: str) -> Any:
    return next(field.type for field in msgspec.structs.fields(kind) if field.encode_name == key)


def _fold(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "")


def _checked(value: Any, kind: inspect.Type, path: str, where: str, extra: Table) -> Any:
    """`value` if it is of `kind`, dates as text; checks what lies below it too."""
    if isinstance(kind, inspect.Metadata):
        return _checked(value, kind.type, path, where, extra | (kind.extra or {}))
    if isinstance(kind, inspect.StructType):
        return _checked_struct(value, kind, path, where)
    if isinstance(kind, inspect.VarTupleType):
        if not isinstance(value, list | tuple):
            raise _fault(where, path, value, "an array")
        names = [_row_name(path, item, index) for index, item in enumerate(value)]
        return [_checked(item, kind.item_type, name, where, extra) for item, name in zip(value, names, strict=True)]
    if isinstance(kind, inspect.DictType):
        if not isinstance(value, dict):
            raise _fault(where, path, value, "a table")
        return {key: _checked(item, kind.value_type, f"{path}.{key}", where, extra) for key, item in value.items()}
    if isinstance(kind, inspect.AnyType):
        return value
    if isinstance(kind, inspect.UnionType):
        return _checked_union(value, kind, path, where, extra)
    return _checked_scalar(value, kind, path, where, extra)


def _checked_struct(value: Any, kind: inspect.StructType, path: str, where: str) -> Table:
    dot = f"{path}." if path else ""
    if not isinstance(value, dict):
        raise _fault(where, path, value, "a table")
    fields = {field.encode_name: field for field in kind.fields}
    for key in value:
        if key not in fields:
            raise UsageError(f"{where}: {dot}{key} is not a key that exists; {hint(key, fields)}")
    for name, field in fields.items():
        if field.required and name not in value:
            raise UsageError(f"{where}: {dot}{name} is missing; add it: {_allowed(field.type, {})}")
    return {key: _checked(item, fields[key].type, f"{dot}{key}", where, {}) for key, item in value.items()}


def _checked_union(value: Any, kind: inspect.UnionType, path: str, where: str, extra: Table) -> Any:
    options = [option for option in kind.types if not isinstance(option, inspect.NoneType)]
    if value is None and len(options) < len(kind.types):
        return None
    if len(options) == 1:
        return _checked(value, options[0], path, where, extra)
    for option in options:
        try:
            return _checked(value, option, path, where, extra)
        except UsageError:
            continue
    raise _fault(where, path, value, _allowed(kind, extra))


def _checked_scalar(value: Any, kind: inspect.Type, path: str, where: str, extra: Table) -> Any:
    allowed = _allowed(kind, extra)
    if isinstance(kind, inspect.LiteralType):
        if value not in kind.values:
            near = hint(value, map(str, kind.values)) if isinstance(value, str) else ""
            raise _fault(where, path, value, f"{allowed}{'; ' + near if near.startswith('did') else ''}")
    elif isinstance(kind, inspect.StrType):
        if isinstance(value, datetime | date):
            return value.isoformat()
        if not isinstance(value, str):
            raise _fault(where, path, value, allowed)
    elif isinstance(kind, inspect.BoolType):
        if not isinstance(value, bool):
            raise _fault(where, path, value, allowed)
    elif isinstance(kind, inspect.IntType | inspect.FloatType):
        _check_number(value, kind, path, where, extra)
    elif not (isinstance(kind, inspect.NoneType) and value is None):
        raise _fault(where, path, value, allowed)
    return value


def _check_number(value: Any, kind: inspect.IntType | inspect.FloatType, path: str, where: str, extra: Table) -> None:
    """Right type, finite, in range, and no finer than the scale at which it is booked."""
    allowed = _allowed(kind, extra)
    wanted = int if isinstance(kind, inspect.IntType) else int | float
    if isinstance(value, bool) or not isinstance(value, wanted):
        raise _fault(where, path, value, allowed)
    low = -_LARGEST if kind.ge is None else kind.ge
    high = _LARGEST if kind.le is None else kind.le
    if not low <= value <= high:  # NaN fails too
        raise _fault(where, path, value, allowed)
    if "scale" not in extra:
        return
    try:
        exact(value, extra["scale"])
    except ValueError:
        places = len(str(extra["scale"])) - 1
        raise _fault(where, path, value, f"{allowed}, with at most {places} decimal places") from None


def _row_name(path: str, item: Any, index: int) -> str:
    symbol = item.get("symbol") if isinstance(item, dict) else None
    return f"{path}.{symbol}" if isinstance(symbol, str) else f"{path}[{index}]"


def _allowed(kind: inspect.Type, extra: Table) -> str:
    """What a value of this kind may be, in words."""
    if isinstance(kind, inspect.Metadata):
        return _allowed(kind.type, extra | (kind.extra or {}))
    if isinstance(kind, inspect.LiteralType):
        return "one of " + ", ".join(f'"{item}"' for item in kind.values)
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        noun = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
        unit = f" of {extra['unit']}" if "unit" in extra else ""
        span = f" from {kind.ge:,.0f} to {kind.le:,.0f}" if kind.ge is not None and kind.le is not None else ""
        return noun + unit + span
    if isinstance(kind, inspect.UnionType):
        options = [_allowed(option, extra) for option in kind.types if not isinstance(option, inspect.NoneType)]
        return str(extra.get("what", " or ".join(options)))
    words = {inspect.StrType: "text in quotes", inspect.BoolType: "true or false", inspect.VarTupleType: "an array"}
    return str(extra.get("what", words.get(type(kind), "a table")))


def _fault(where: str, path: str, value: Any, allowed: str) -> UsageError:
    point_zero = ".0" if isinstance(value, float) and value.is_integer() else ""  # as it was typed
    return UsageError(f"{where}: {path} = {show(value)}{point_zero} is not possible; give {allowed}")


def show(value: Any) -> str:
    """A value as TOML writes it, numbers without an exponent."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and math.isfinite(value):
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    return f'"{value}"' if isinstance(value, str) else str(value)
