"""What the commands of all taps share: kinds of options, errors that are one sentence, an end that is clean."""

import asyncio
import logging
import re
import resource
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import click
import uvloop

from schemas.interfaces import interface as interface_of
from streams import journal
from streams.settings import SettingsError
from streams.spool import SpoolTaken

_ADDRESS = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s:\[\]]*):([0-9]{1,5})")


class Address(NamedTuple):
    """Where to listen or to connect to."""

    host: str
    port: int

    def __str__(self) -> str:
        """As captures write it; an IPv6 address stands in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class AddressType(click.ParamType):
    """``HOST:PORT``."""

    name = "host:port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Address:
        """The address."""
        if isinstance(value, Address):
            return value
        found = _ADDRESS.fullmatch(str(value))
        if found is None or int(found[2]) > 65_535:
            self.fail(f"{value!r} is no address; write HOST:PORT, for example 0.0.0.0:9000", param, ctx)
        return Address(found[1].strip("[]") or "0.0.0.0", int(found[2]))  # noqa: S104 -- no host means every address


class InterfaceType(click.ParamType):
    """The number of an interface."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The number as the catalogue writes it."""
        try:
            return interface_of(str(value)).number
        except ValueError as problem:
            self.fail(str(problem), param, ctx)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Log to standard error, and word what is wrong with settings, folders and addresses in one sentence."""
    journal.begin()
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # the road says itself what fails
    try:
        yield
    except (SettingsError, SpoolTaken, OSError) as problem:
        raise click.ClickException(str(problem)) from problem


def raise_file_limit() -> None:
    """Let this process have as many connections as the machine allows; many shells allow a thousand files."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def until_stopped(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run until SIGTERM or Ctrl-C; what runs is told by an event, and ends in its own time."""

    async def run() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        await work(stopped)

    raise_file_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
