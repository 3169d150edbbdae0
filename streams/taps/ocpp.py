"""``python -m streams.taps.ocpp``: the OCPP tap, between charging stations and their backend.

| option | variable | meaning |
|---|---|---|
| ``--listen`` | ``TWIN_OCPP_LISTEN`` | where stations connect to |
| ``--backend`` | ``TWIN_OCPP_BACKEND`` | URL of the backend |
| ``--interface`` | ``TWIN_OCPP_INTERFACE`` | 4, 5 or 14 |
| ``--certificate``, ``--key`` | ``TWIN_OCPP_CERTIFICATE``, ``TWIN_OCPP_KEY`` | TLS towards stations |
| ``--client-ca`` | ``TWIN_OCPP_CLIENT_CA`` | stations must show a certificate signed by one of these |
| ``--backend-ca`` | ``TWIN_OCPP_BACKEND_CA`` | who signed the backend's certificate |
| ``--ping-s`` | ``TWIN_OCPP_PING_S`` | seconds between pings, 0 for none |

Where Kafka is, and how much may wait on disk, is said as everywhere (:mod:`streams.settings`).
"""

import asyncio
import logging
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import click

from schemas.interfaces import interface as interface_of
from streams.settings import settings
from streams.taps.options import Address, AddressType, InterfaceType, plain_errors, until_stopped
from streams.taps.recording import Recording
from streams.taps.stations import StationTap

_log = logging.getLogger("streams.taps.ocpp")  # run as a program, __name__ is another

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--listen", type=AddressType(), required=True, envvar="TWIN_OCPP_LISTEN", help="Where stations connect.")
@click.option("--backend", required=True, envvar="TWIN_OCPP_BACKEND", help="The backend: ws:// or wss://HOST/PATH.")
@click.option(
    "--interface", "number", type=InterfaceType(), default="4", envvar="TWIN_OCPP_INTERFACE", help="4, 5, 14."
)
@click.option("--certificate", type=_FILE, envvar="TWIN_OCPP_CERTIFICATE", help="PEM: TLS towards stations.")
@click.option("--key", type=_FILE, envvar="TWIN_OCPP_KEY", help="PEM: its key, where it is a file of its own.")
@click.option("--client-ca", type=_FILE, envvar="TWIN_OCPP_CLIENT_CA", help="PEM: stations show a certificate of it.")
@click.option("--backend-ca", type=_FILE, envvar="TWIN_OCPP_BACKEND_CA", help="PEM: signed the backend's certificate.")
@click.option(
    "--ping-s", type=click.FloatRange(0), default=30.0, envvar="TWIN_OCPP_PING_S", show_default=True, help="0: none."
)
def main(
    listen: Address,
    backend: str,
    number: str,
    certificate: Path | None,
    key: Path | None,
    client_ca: Path | None,
    backend_ca: Path | None,
    ping_s: float,
) -> None:
    """Stand between charging stations and their backend, pass every frame on unchanged, and record it.

    A station's path is appended to the backend's, so ws://TAP:9000/CS1 goes on to wss://csms.example/ocpp/CS1; its
    password and the subprotocols it offers go on too, and the backend's choice comes back. Frames pass whatever
    becomes of the recording: while Kafka is away, they wait on disk.

    Example: python -m streams.taps.ocpp --listen 0.0.0.0:9000 --backend wss://csms.example/ocpp --interface 4
    """
    with plain_errors():
        _check_backend(backend)
        if not is_spoken(number):
            raise click.UsageError(f"nobody speaks OCPP on interface {number}; take 4, 5 or 14")
        config = settings(with_database=False)
        tls = _server_tls(certificate, key, client_ca)
        backend_tls = ssl.create_default_context(cafile=backend_ca) if backend_ca else None

        def say(at: Address) -> None:
            scheme = "wss" if tls else "ws"
            _log.info("listening on %s://%s, passing on to %s, interface %s", scheme, at, backend, number)

        async def work(stopped: asyncio.Event) -> None:
            tap = StationTap(backend, recording.note, backend_tls=backend_tls, ping_s=ping_s or None)
            await tap.listen(listen, stopped, tls=tls, on_listening=say)

        with Recording(config, f"ocpp-{number}-{listen.port}", number) as recording:
            until_stopped(work)


def is_spoken(number: str) -> bool:
    """Whether an interface is one between stations and a backend that speak OCPP."""
    return "ocpp" in interface_of(number).formats


def _check_backend(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"ws", "wss"} or not parts.hostname or parts.query or parts.fragment:
        raise click.UsageError(f"--backend {url!r} is no address of a backend; write wss://HOST/PATH or ws://HOST/PATH")
    if parts.username or parts.password:
        raise click.UsageError("--backend holds a password, but the stations bring their own; leave it out")


def _server_tls(certificate: Path | None, key: Path | None, client_ca: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        if key is not None or client_ca is not None:
            raise click.UsageError("--key and --client-ca need --certificate")
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=client_ca)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificate, key)
    return context


if __name__ == "__main__":
    main()
