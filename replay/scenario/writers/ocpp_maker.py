"""Interface 5: what the stations and their maker's backend say to each other: life signs, logs, firmware."""

from collections.abc import Iterator
from typing import Final

from replay.scenario.faults import NO_FAULTS, Faults
from replay.scenario.message import Message
from replay.scenario.names import names_of
from replay.scenario.plan import DayPlan
from replay.scenario.street import Street
from replay.scenario.world import Quarter
from replay.scenario.writers.ocpp_dialect import Call, Station
from replay.scenario.writers.ocpp_faults import Sending, mishaps_of
from replay.scenario.writers.ocpp_frames import Line
from replay.scenario.writers.ocpp_versions import DIALECTS
from schemas.time import MINUTE_US, SECOND_US, SLOT_US, format_time

INTERFACE: Final = "5"

_HEARTBEAT_US = 900 * SECOND_US
_LOG_AT_MINUTE: Final = 3 * 60 + 5
_FIRMWARE_AT_MINUTE: Final = 10 * 60 + 30
_BACKEND: Final = "https://backend.example"
_STEP_US: Final = 40 * SECOND_US


class Makers:
    """All stations of the street and their maker through one day."""

    def __init__(self, street: Street, plan: DayPlan, faults: Faults = NO_FAULTS) -> None:
        self._posts = [_Post(street, site, plan, faults) for site in range(street.sites) if street.household(site).ocpp]

    def messages(self, quarter: Quarter) -> Iterator[Message]:
        """What is said in a quarter hour."""
        for post in self._posts:
            yield from post.messages(quarter.start_us)


class _Post:
    """One station: a life sign every quarter hour, its log every night, a firmware that it refuses now and then."""

    def __init__(self, street: Street, site: int, plan: DayPlan, faults: Faults) -> None:
        household, names = street.household(site), names_of(street, site)
        self._dialect = DIALECTS[household.ocpp]
        self._is_1_6 = household.ocpp == "1.6"
        self._line = Line(INTERFACE, names.station, site, self._dialect.subprotocol)
        self._station = Station(names.station, site, names.token, household.bidirectional)
        self._mishaps = list(mishaps_of(faults, site, plan))
        self._day_us = plan.start_us
        self._beat_us = street.draws.one("maker's heartbeat", 1, 900, site) * SECOND_US
        self._log_us = _clock_us(plan, _LOG_AT_MINUTE) + site % 50 * MINUTE_US
        is_offered = street.draws.one("firmware", 0, 12, site, plan.day.toordinal()) == 0 and not self._is_1_6
        self._firmware_us = _clock_us(plan, _FIRMWARE_AT_MINUTE) + site % 50 * MINUTE_US if is_offered else None

    def messages(self, start_us: int) -> Iterator[Message]:
        """What this station and the backend say in the quarter hour that begins then."""
        if start_us == self._day_us:
            time_us = start_us + (45 + self._line.site % 40) * SECOND_US
            yield from self._line.calls(time_us, self._dialect.boot(self._station, format_time(time_us)))
        beat_us = start_us + self._beat_us % _HEARTBEAT_US
        beat = Sending(beat_us, self._dialect.heartbeat(format_time(beat_us)))
        if all(mishap.suffer(beat) == beat for mishap in self._mishaps):
            yield from self._line.calls(*beat)
        if start_us <= self._log_us < start_us + SLOT_US:
            yield from self._sends_log(self._log_us)
        if self._firmware_us is not None and start_us <= self._firmware_us < start_us + SLOT_US:
            yield from self._refuses_firmware(self._firmware_us)

    def _sends_log(self, time_us: int) -> Iterator[Message]:
        """The backend asks for the log of the day before, the station uploads it."""
        number = time_us // SECOND_US % 1_000_000_000
        where = f"{_BACKEND}/logs/{self._station.name}"
        if self._is_1_6:
            ask = Call("GetDiagnostics", {"location": where}, {"fileName": f"{number}.log"})
            steps = [Call("DiagnosticsStatusNotification", {"status": s}, {}) for s in ("Uploading", "Uploaded")]
        else:
            asked = {"log": {"remoteLocation": where}, "logType": "DiagnosticsLog", "requestId": number}
            ask = Call("GetLog", asked, {"status": "Accepted", "filename": f"{number}.log"})
            steps = [
                Call("LogStatusNotification", {"status": status, "requestId": number}, {})
                for status in ("Uploading", "Uploaded")
            ]
        yield from self._line.calls(time_us, ask, from_backend=True)
        yield from self._in_turn(time_us, steps)

    def _refuses_firmware(self, time_us: int) -> Iterator[Message]:
        """A firmware whose signature does not fit: downloaded, refused, reported (OCPP 2.0.1, L01 and A04)."""
        number = time_us // SECOND_US % 1_000_000_000
        firmware = {
            "location": f"{_BACKEND}/firmware/2.5.0",
            "retrieveDateTime": format_time(time_us),
            "signingCertificate": "-",
            "signature": "-",
        }
        offered = Call("UpdateFirmware", {"requestId": number, "firmware": firmware}, {"status": "Accepted"})
        yield from self._line.calls(time_us, offered, from_backend=True)
        steps = [
            Call("FirmwareStatusNotification", {"status": status, "requestId": number}, {})
            for status in ("Downloading", "Downloaded", "InvalidSignature")
        ]
        noticed = {"type": "InvalidFirmwareSignature", "timestamp": format_time(time_us + 4 * _STEP_US)}
        yield from self._in_turn(time_us, [*steps, Call("SecurityEventNotification", noticed, {})])

    def _in_turn(self, time_us: int, calls: list[Call]) -> Iterator[Message]:
        for count, call in enumerate(calls, 1):
            yield from self._line.calls(time_us + count * _STEP_US, call)


def _clock_us(plan: DayPlan, minute: int) -> int:
    """When the clock on the wall shows this minute of the day, after the hour in which it may be set."""
    return plan.minute_us(minute + plan.minutes - 24 * 60)
