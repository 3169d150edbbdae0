"""``python -m streams.taps.tcp``: between the two ends of a TCP connection that speak a protocol of octets.

| option | variable | meaning |
|---|---|---|
| ``--listen`` | ``TWIN_TCP_LISTEN`` | where who opens connections connects to |
| ``--target`` | ``TWIN_TCP_TARGET`` | where the connections go on to |
| ``--interface`` | ``TWIN_TCP_INTERFACE`` | the interface; it says how the stream is cut into messages |
| ``--format`` | ``TWIN_TCP_FORMAT`` | the wire format, where an interface has several that run over TCP |

Where Kafka is, and how much may wait on disk, is said as everywhere (:mod:`streams.settings`).
"""

import asyncio
import logging

import click

from schemas.interfaces import format_of
from schemas.interfaces import interface as interface_of
from streams.settings import settings
from streams.taps.octets import OctetTap
from streams.taps.options import Address, AddressType, InterfaceType, plain_errors, until_stopped
from streams.taps.recording import Recording

_log = logging.getLogger("streams.taps.tcp")  # run as a program, __name__ is another


@click.command()
@click.option("--listen", type=AddressType(), required=True, envvar="TWIN_TCP_LISTEN", help="Where to listen.")
@click.option("--target", type=AddressType(), required=True, envvar="TWIN_TCP_TARGET", help="Where connections go on.")
@click.option("--interface", "number", type=InterfaceType(), required=True, envvar="TWIN_TCP_INTERFACE", help="Which.")
@click.option("--format", "name", default="", envvar="TWIN_TCP_FORMAT", help="Needed where an interface has several.")
def main(listen: Address, target: Address, number: str, name: str) -> None:
    """Stand in a TCP connection, pass its octets on unchanged both ways, and record the messages among them.

    For IEC 60870-5-104, SML and whatever else comes as octets over TCP: the interface says how they are cut. Octets
    pass whatever becomes of the recording: while Kafka is away, messages wait on disk.

    Example: python -m streams.taps.tcp --listen 0.0.0.0:2404 --target 10.0.0.5:2404 --interface 43
    """
    with plain_errors():
        chosen = stream_format(number, name)
        config = settings(with_database=False)

        def say(at: Address) -> None:
            _log.info("listening on %s, passing on to %s, interface %s, %s", at, target, number, chosen)

        async def work(stopped: asyncio.Event) -> None:
            await OctetTap(target, chosen, recording.note).listen(listen, stopped, on_listening=say)

        with Recording(config, f"tcp-{number}-{listen.port}", number) as recording:
            until_stopped(work)


def stream_formats(number: str) -> list[str]:
    """The wire formats of an interface that are cut from a stream of octets."""
    return [name for name in interface_of(number).formats if format_of(name).next_piece is not None]


def stream_format(number: str, name: str = "") -> str:
    """The wire format of an interface that is cut from a stream of octets.

    Raises:
        click.UsageError: there is none, or several and none was named.
    """
    known = stream_formats(number)
    fitting = [each for each in known if name in {"", each}]
    if len(fitting) == 1:
        return fitting[0]
    if not known:
        raise click.UsageError(f"nothing that interface {number} reads comes as a stream of octets over TCP")
    raise click.UsageError(f"interface {number} reads {' and '.join(known)} over TCP; say --format {known[0]}")


if __name__ == "__main__":
    main()
