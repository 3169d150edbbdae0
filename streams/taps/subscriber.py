"""Between an MQTT broker and the road: a message is acknowledged to the broker once Kafka or the spool has it.

The session is persistent: what is published while nobody listens waits at the broker. What was not acknowledged when a
connection broke comes again; it gets the time at which it first came, so it becomes the same event.
"""

import logging
import threading
from collections import OrderedDict
from concurrent.futures import Future
from hashlib import blake2b
from typing import Any, Final

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
HELD_LIMIT_BYTES: Final = 64 << 20
"""The most that may be under way; beyond, nothing more is read from the broker."""

_TIMES: Final = 10_000
_RETRY_S: Final = 1.0
_END_S: Final = 10.0

_log = logging.getLogger(__name__)


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
        self._stopping = threading.Event()
        self.client = Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            clean_session=None if is_5 else False,
            protocol=MQTTProtocolVersion.MQTTv5 if is_5 else MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )
        self.client.reconnect_delay_set(1, 30)
        self.client.on_connect = self._on_connect
        self.client.on_connect_fail = self._on_connect_fail
        self.client.on_disconnect = self._on_disconnect
        self.client.on_subscribe = self._on_subscribe
        self.client.on_message = self._on_message
        # What is wrong with one message is logged, and must not end the thread that listens.
        self.client.enable_logger(_log)
        self.client.suppress_exceptions = True

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
        _log.warning("the broker does not answer; trying again")

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
        self._submit(message, row.interface, part, self._connection)

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

    def _submit(self, message: MQTTMessage, interface: str, part: Part, connection: int) -> None:
        answer = self._road.submit(interface, [part], len(message.payload))
        answer.add_done_callback(lambda done: self._done(done, message, interface, part, connection))

    def _done(self, done: Future[Answer], message: MQTTMessage, interface: str, part: Part, connection: int) -> None:
        problem = done.exception()
        if isinstance(part, Posted) and problem is not None and not isinstance(problem, SpoolFull):
            # It would come again and again, and fail each time.
            detail = f"{type(problem).__name__}: {problem}"
            rejected = Rejected(interface, part.source, part.raw, 0, part.time_us, "", DECODER_ERROR, detail)
            self._submit(message, interface, BadLine(0, rejected), connection)
            return
        if isinstance(problem, SpoolFull) and not self._stopping.is_set():
            _log.warning("%s; the message waits, and the broker with it", problem)
            later = threading.Timer(_RETRY_S, self._submit, (message, interface, part, connection))
            later.daemon = True
            later.start()
            return
        # A number that was given in an earlier connection may mean another message by now.
        if problem is None and connection == self._connection:
            self.client.ack(message.mid, message.qos)
        with self._fewer:
            self._held_bytes -= len(message.payload)
            self._fewer.notify_all()
