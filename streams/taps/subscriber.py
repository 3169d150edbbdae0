"""Between an MQTT broker and the road: a message is acknowledged to the broker once the road has it.

What the road does not take, because Kafka is away, is tried again and stays unacknowledged, so the broker holds it and
what comes behind it. The session is persistent: what is published while nobody listens waits at the broker. What was
not acknowledged when a connection broke comes again; it gets the time at which it first came, so it becomes the same
event.
"""

import logging
import sys
import threading
from collections import OrderedDict, deque
from concurrent.futures import Future
from hashlib import blake2b
from pathlib import Path
from ssl import SSLEOFError
from typing import Any, Final, NamedTuple

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from streams.gateway.body import BadLine, Part, Posted
from streams.gateway.road import Answer, Road
from streams.producer import now_us
from streams.reader import DECODER_ERROR, Rejected
from streams.spool import SpoolFull
from streams.taps.topic_table import Row

SESSION_S: Final = 7 * 86_400
"""How long a broker keeps the session of a subscriber that is away; MQTT 5 only, 3.1.1 knows no end."""

QOS: Final = 1
CONNECT_S: Final = 5.0
"""How long a broker may take to accept a connection, and then to agree on TLS."""

HELD_LIMIT_BYTES: Final = 64 << 20
"""The most that may be under way; beyond, nothing more is read from the broker."""

_TIMES: Final = 10_000
_RETRY_S: Final = 1.0
_END_S: Final = 10.0

_log = logging.getLogger(__name__)
_client_log = logging.getLogger(f"{__name__}.client")
# paho says this after each try that failed, and why it failed was said by then
_client_log.addFilter(lambda record: not record.getMessage().startswith("Client is not connected"))


class _Held(NamedTuple):
    """A message that is not acknowledged yet; ``connection`` counts in which connection it came."""

    message: MQTTMessage
    interface: str
    part: Part
    connection: int


class Subscriber:
    """Brings what a broker has for the topics of a table.

    Args:
        road: takes the messages.
        table: which topics, and where they belong.
        client_id: names the session; two subscribers of one name throw each other out.
        is_5: speak MQTT 5, else 3.1.1.
    """

    def __init__(self, road: Road, table: list[Row], client_id: str, *, is_5: bool = False) -> None:
        self._road = road
        self._table = table
        self._is_5 = is_5
        self._times: OrderedDict[bytes, int] = OrderedDict()
        self._unknown: set[str] = set()
        self._connection = 0
        self._held_bytes = 0
        self._fewer = threading.Condition()
        self._later: deque[_Held] = deque()
        self._order = threading.RLock()  # held while messages go to the road or are put off
        self._is_refused = False
        self._is_secure = False
        self._stopping = threading.Event()
        self.client = Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            clean_session=None if is_5 else False,
            protocol=MQTTProtocolVersion.MQTTv5 if is_5 else MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )
        self.client.connect_timeout = CONNECT_S
        self.client.reconnect_delay_set(1, 30)
        self.client.on_connect = self._on_connect
        self.client.on_connect_fail = self._on_connect_fail
        self.client.on_disconnect = self._on_disconnect
        self.client.on_subscribe = self._on_subscribe
        self.client.on_message = self._on_message
        # What is wrong with one message is logged, and must not end the thread that listens.
        self.client.enable_logger(_client_log)
        self.client.suppress_exceptions = True

    def speak_tls(self, authority: Path | None) -> None:
        """Trust who signed the broker's certificate (a file, PEM), else whom this machine trusts; before the start."""
        self.client.tls_set(ca_certs=str(authority) if authority else None)
        self._is_secure = True

    def start(self, host: str, port: int) -> None:
        """Connect, now or as soon as the broker is there."""
        more: dict[str, Any] = {}
        if self._is_5:
            session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            session.SessionExpiryInterval = SESSION_S
            more = {"clean_start": False, "properties": session}
        self.client.connect_async(host, port, **more)
        self.client.loop_start()

    def stop(self) -> None:
        """Take nothing more, acknowledge what is on its way, and leave; the broker keeps the session."""
        self._stopping.set()
        with self._order:
            for held in self._later:  # not acknowledged: they come again
                self._release(held)
            self._later.clear()
        with self._fewer:
            self._fewer.wait_for(lambda: not self._held_bytes, _END_S)
        self.client.disconnect()
        self.client.loop_stop()

    def _on_connect(
        self, client: Client, _userdata: object, flags: ConnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        if code.is_failure:
            _log.error("the broker refuses: %s", code)
            return
        self._connection += 1
        client.subscribe([(row.topic, QOS) for row in self._table])
        _log.info("connected to the broker, %s session", "an earlier" if flags.session_present else "a new")

    def _on_connect_fail(self, _client: Client, _userdata: object) -> None:
        problem = sys.exc_info()[1]  # it is called while paho handles it
        hint = ""
        if self._is_secure and isinstance(problem, TimeoutError | ConnectionResetError | SSLEOFError):
            hint = " (is TLS spoken on this port? where it is not, write mqtt://)"
        _log.warning("the broker cannot be reached: %s%s; trying again", problem, hint)

    def _on_disconnect(
        self, _client: Client, _userdata: object, _flags: DisconnectFlags, code: ReasonCode, _props: Properties | None
    ) -> None:
        if not self._stopping.is_set():
            _log.warning("the connection to the broker broke off: %s", code)

    def _on_subscribe(
        self, _client: Client, _userdata: object, _mid: int, codes: list[ReasonCode], _properties: Properties | None
    ) -> None:
        for row, code in zip(self._table, codes, strict=False):
            if code.is_failure:
                _log.error("the broker does not let %s be read: %s", row.topic, code)

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        if self._stopping.is_set():
            return  # not acknowledged: it comes again
        row = next((row for row in self._table if row.fits(message.topic)), None)
        if row is None or not message.payload:
            self._pass_over(message, is_known=row is not None)
            return
        size = len(message.payload)
        with self._fewer:
            self._fewer.wait_for(lambda: self._held_bytes < HELD_LIMIT_BYTES)
            self._held_bytes += size
        part = Posted(bytes(message.payload), row.source_of(message.topic), self._time_us(message))
        with self._order:
            held = _Held(message, row.interface, part, self._connection)
            if self._later:
                self._later.append(held)  # behind those that came before
            else:
                self._submit(held)

    def _pass_over(self, message: MQTTMessage, *, is_known: bool) -> None:
        """What an earlier table asked for still comes in a persistent session; empty ones only clear what was kept."""
        if not is_known and message.topic not in self._unknown and len(self._unknown) < _TIMES:
            self._unknown.add(message.topic)
            _log.warning("no line of the table fits %s; its messages are passed over", message.topic)
        self.client.ack(message.mid, message.qos)

    def _time_us(self, message: MQTTMessage) -> int | None:
        """When it came first; None for what the broker had kept: nobody knows when it was said."""
        if message.retain:
            return None
        named = f"{message.mid} {message.topic}\0".encode()
        key = blake2b(named + message.payload, digest_size=16).digest()
        known = self._times.get(key) if message.dup else None
        time_us = self._times[key] = now_us() if known is None else known
        self._times.move_to_end(key)
        if len(self._times) > _TIMES:
            self._times.popitem(last=False)
        return time_us

    def _submit(self, held: _Held) -> None:
        answer = self._road.submit(held.interface, [held.part], len(held.message.payload))
        answer.add_done_callback(lambda done: self._done(done, held))

    def _done(self, done: Future[Answer], held: _Held) -> None:
        problem = done.exception()
        if isinstance(held.part, Posted) and problem is not None and not isinstance(problem, SpoolFull):
            # It would come again and again, and fail each time.
            part, detail = held.part, f"{type(problem).__name__}: {problem}"
            rejected = Rejected(held.interface, part.source, part.raw, 0, part.time_us, "", DECODER_ERROR, detail)
            self._submit(held._replace(part=BadLine(0, rejected)))
            return
        if isinstance(problem, SpoolFull) and not self._stopping.is_set():
            self._put_off(held)
            return
        if problem is None:
            self._say_refused(is_refused=False)
            # A number that was given in an earlier connection may mean another message by now.
            if held.connection == self._connection:
                self.client.ack(held.message.mid, held.message.qos)
        self._release(held)

    def _put_off(self, held: _Held) -> None:
        self._say_refused(is_refused=True)
        with self._order:
            self._later.append(held)
            if len(self._later) == 1:
                again = threading.Timer(_RETRY_S, self._try_again)
                again.daemon = True
                again.start()

    def _try_again(self) -> None:
        with self._order:
            waiting, self._later = self._later, deque()
            for held in waiting:
                self._submit(held)

    def _say_refused(self, *, is_refused: bool) -> None:
        """Say once when messages begin to wait, and when they wait no longer."""
        if is_refused and not self._is_refused:
            _log.warning("Kafka is away: messages are not acknowledged, and wait at the broker")
        elif self._is_refused and not is_refused:
            _log.info("Kafka takes messages again")
        self._is_refused = is_refused

    def _release(self, held: _Held) -> None:
        with self._fewer:
            self._held_bytes -= len(held.message.payload)
            self._fewer.notify_all()
