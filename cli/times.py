"""Times and days as arguments."""

from datetime import date
from typing import Any

import click

from schemas.calendar import parse_day
from schemas.time import parse_time


class _Time(click.ParamType):
    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Microseconds of an ISO time with zone."""
        if isinstance(value, int):
            return value
        try:
            return parse_time(value)
        except ValueError as problem:
            self.fail(f"{value!r} is no time such as 2026-03-29T14:15:00Z: {problem}", param, ctx)


class _Day(click.ParamType):
    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """A legal German day."""
        if isinstance(value, date):
            return value
        try:
            return parse_day(value)
        except ValueError as problem:
            self.fail(f"no day: {problem}", param, ctx)


TIME = _Time()
DAY = _Day()
