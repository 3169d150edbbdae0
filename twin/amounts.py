"""Numbers of messages to exact quantities, within what can be believed.

A value comes as an integer, a Decimal (just decoded), decimal text (from the log of events, where Decimals are
stored as text) or the text of OCPP 1.6, which may hold anything.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Final

from schemas.facts import Scalar

_EXACT: Final = Context(prec=200, rounding=ROUND_HALF_EVEN)
_LENGTH_LIMIT: Final = 100
_SAFE_LENGTH: Final = 18

Number = int | Decimal


def number(value: Scalar) -> Number | None:
    """The number a value stands for; None where it is none.

    >>> number("230"), number("12.50"), number("-4"), number("1e3"), number("OCMF"), number("NaN")
    (230, Decimal('12.50'), Decimal('-4'), Decimal('1E+3'), None, None)
    """
    if type(value) is int:
        return value
    if isinstance(value, str):
        if len(value) <= _SAFE_LENGTH and value.isascii() and value.isdecimal():
            return int(value)
        if len(value) > _LENGTH_LIMIT or "_" in value or not value.isascii():
            return None
        try:
            found = Decimal(value)
        except InvalidOperation:
            return None
    elif isinstance(value, Decimal):
        found = value
    else:
        return None
    if not found.is_finite() or abs(found.adjusted()) > _LENGTH_LIMIT:
        return None
    return found


def scaled(value: Number, factor: Number) -> int:
    """The product as an integer; what is finer is rounded half to even.

    >>> scaled(Decimal("0.0005"), 1000), scaled(Decimal("0.0015"), 1000), scaled(Decimal("1.2345"), 1_000_000)
    (0, 2, 1234500)
    """
    if type(value) is int and type(factor) is int:
        return value * factor
    product = _EXACT.multiply(value, factor)
    whole = int(product)
    return whole if whole == product else int(product.to_integral_value(ROUND_HALF_EVEN))


def times(value: Number, factor: Number) -> Number:
    """The product, exact."""
    if factor == 1:
        return value
    if type(value) is int and type(factor) is int:
        return value * factor
    return _EXACT.multiply(value, factor)


def size(value: Number) -> Number:
    """The number without its sign."""
    return -value if value < 0 else value
