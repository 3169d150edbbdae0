"""Interface 4: what the street's charging stations and their backend say to each other over OCPP-J."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from replay.scenario.faults import NO_FAULTS, Faults
from replay.scenario.message import Message
from replay.scenario.names import names_of
from replay.scenario.plan import LIMIT_MW, DayPlan
from replay.scenario.stays import Stays, stays_of
from replay.scenario.street import Street
from replay.scenario.world import Quarter
from replay.scenario.writers.ocmf import Shown, SigningMeter
from replay.scenario.writers.ocpp_dialect import (
    Call,
    Meter,
    Profile,
    Station,
    Transaction,
)
from replay.scenario.writers.ocpp_faults import Restart, Sending, mishaps_of
from replay.scenario.writers.ocpp_frames import Line
from replay.scenario.writers.ocpp_versions import DIALECTS
from schemas.time import MINUTE_US, SECOND_US, SLOT_US, format_time

INTERFACE: Final = "4"
EARLIEST_US: Final = 60 * SECOND_US
"""A message of a quarter hour may be sent this much before it begins."""

_HEARTBEAT_US = 300 * SECOND_US
_ORDER_LEAD_US = 20 * SECOND_US
_LIMIT_LEAD_US = 40 * SECOND_US


class Stations:
    """All stations of the street through one day; fed with quarter hours in order."""

    def __init__(
        self,
        street: Street,
        plan: DayPlan,
        *,
        interval_s: int,
        faults: Faults = NO_FAULTS,
        first_day: date | None = None,
    ) -> None:
        self._plan = plan
        self._interval_us = interval_s * SECOND_US
        self._posts = [
            _Post(street, site, plan, stays, self._interval_us, faults, first_day)
            for site, stays in stays_of(street, plan).items()
        ]

    def messages(self, quarter: Quarter) -> Iterator[Message]:
        """What is said in a quarter hour, not in order, at most :data:`EARLIEST_US` before it begins."""
        view = _View(quarter)
        ticks = range(quarter.start_us, quarter.start_us + SLOT_US, self._interval_us)
        if quarter.number == len(self._plan.slots) - 1:
            ticks = range(ticks.start, ticks.stop + self._interval_us, self._interval_us)
        stamps = [(tick, format_time(tick)) for tick in ticks]
        for post in self._posts:
            yield from post.messages(view, stamps)


class _View:
    """A quarter hour as plain lists: much faster to pick single numbers from than arrays."""

    def __init__(self, quarter: Quarter) -> None:
        self.number, self.start_us = quarter.number, quarter.start_us
        self.charge_mw: list[list[int]] = quarter.charge_mw.tolist()
        self.discharge_mw: list[list[int]] = quarter.discharge_mw.tolist()
        self.charged_mws: list[list[int]] = quarter.charged_mws.tolist()
        self.discharged_mws: list[list[int]] = quarter.discharged_mws.tolist()
        self.soc_mws: list[list[int]] = quarter.soc_mws.tolist()
        self.begun_charged_mws: list[int] = quarter.before.begun_charged_mws.tolist()
        self.begun_discharged_mws: list[int] = quarter.before.begun_discharged_mws.tolist()
        self.setpoint_mw: list[int] = quarter.setpoint_mw.tolist()
        self.limited: list[int] = quarter.limited.tolist()

    def holds(self, time_us: int) -> bool:
        return self.start_us <= time_us < self.start_us + SLOT_US


class _Post:
    """One station in its day: morning session (begun on an earlier day), evening session, what it was told last."""

    def __init__(
        self,
        street: Street,
        site: int,
        plan: DayPlan,
        stays: Stays,
        interval_us: int,
        faults: Faults,
        first_day: date | None,
    ) -> None:
        household, names = street.household(site), names_of(street, site)
        self._site, self._plan, self._interval_us = site, plan, interval_us
        self._station = Station(names.station, site, names.token, household.bidirectional)
        self._dialect = DIALECTS[household.ocpp]
        self._line = Line(INTERFACE, names.station, site, self._dialect.subprotocol)
        self._mishaps = list(mishaps_of(faults, site, plan))
        self._ordered = household.aggregated
        self._battery_mws = int(street.battery_mws[site])
        self._limit_from_us = plan.minute_us(plan.limit_minutes.start) if household.limited else None
        self._stays = stays
        self._signing = SigningMeter(street, plan, site, first_day)
        self._told_mw: int | None = None
        self._beat_us = street.draws.one("heartbeat", 61, 300, site) * SECOND_US + SECOND_US // 4

    def messages(self, view: _View, stamps: list[tuple[int, str]]) -> Iterator[Message]:
        """What this station and its backend say in a quarter hour."""
        if view.number == 0:
            yield from self._boots()
        yield from self._restarts(view)
        if view.holds(self._stays.unplug_us):
            yield from self._departs(view)
        yield from self._is_told(view, view.start_us)
        if self._limit_from_us == view.start_us:
            yield from self._is_limited()
        yield from self._measures(view, stamps)
        if view.holds(self._stays.plug_us):
            yield from self._arrives(view)
        for beat_us in range(view.start_us + self._beat_us, view.start_us + SLOT_US, _HEARTBEAT_US):
            yield from self._say(beat_us, self._dialect.heartbeat(format_time(beat_us)))

    def _transaction(self, time_us: int, *, ended: bool = False) -> Transaction:
        """The session at this time; events are counted from when it began, whichever day that was."""
        begun_us, day = self._stays.at(time_us)
        sequence = time_us // self._interval_us - begun_us // self._interval_us + ended
        number = day.toordinal() % 100_000 * 10_000 + self._site
        return Transaction(f"{self._station.name}-{day:%Y%m%d}", number, sequence)

    def _meter(self, view: _View, time_us: int) -> Meter:
        site, since_us = self._site, time_us - view.start_us
        minute = min(since_us // MINUTE_US, SLOT_US // MINUTE_US - 1)
        seconds = (since_us - minute * MINUTE_US) // SECOND_US
        charge_mw, discharge_mw = view.charge_mw[site][minute], view.discharge_mw[site][minute]
        charged = view.charged_mws[site][minute] + charge_mw * seconds
        discharged = view.discharged_mws[site][minute] + discharge_mw * seconds
        shown = self._signing.shown(time_us, charged, discharged)
        return Meter(
            time=format_time(time_us),
            on_the_clock=time_us % SLOT_US == 0,
            import_tenth_wh=shown.import_tenth_wh,
            export_tenth_wh=shown.export_tenth_wh,
            power_w=(charge_mw - discharge_mw) // 1000,
            soc=view.soc_mws[site][minute] * 100 // self._battery_mws,
            wanted=view.setpoint_mw[site] != 0,
        )

    def _boots(self) -> Iterator[Message]:
        time_us = self._plan.start_us + (1 + self._site % 40) * SECOND_US
        yield from self._say(time_us, self._dialect.boot(self._station, format_time(time_us)))
        time_us += SECOND_US
        plugged = self._stays.plugged(time_us)
        yield from self._say(time_us, self._dialect.status(format_time(time_us), occupied=plugged))

    def _restarts(self, view: _View) -> Iterator[Message]:
        for mishap in self._mishaps:
            if isinstance(mishap, Restart) and view.holds(mishap.boots_us):
                time_us = mishap.boots_us
                boot = self._dialect.boot(self._station, format_time(time_us), reason="PowerUp")
                yield from self._line.calls(time_us, boot)

    def _measures(self, view: _View, stamps: list[tuple[int, str]]) -> Iterator[Message]:
        for time_us, _ in stamps:
            meter = self._meter(view, time_us)
            if self._stays.plugged(time_us):
                transaction = self._transaction(time_us)
                yield from self._say(time_us, self._dialect.updated(transaction, meter))
            elif meter.on_the_clock:
                yield from self._say(time_us, self._dialect.idle(meter))

    def _departs(self, view: _View) -> Iterator[Message]:
        time_us = self._stays.unplug_us
        transaction, meter = self._transaction(time_us, ended=True), self._meter(view, time_us)
        begin = self._signing.shown(
            self._stays.first.begun_us, view.begun_charged_mws[self._site], view.begun_discharged_mws[self._site]
        )
        end = Shown(time_us, meter.import_tenth_wh, meter.export_tenth_wh)
        meter = meter._replace(signed=self._signing.ends(self._signing.page, begin, end))
        yield from self._say(time_us, self._dialect.ended(self._station, transaction, meter))
        time_us += SECOND_US
        yield from self._say(time_us, self._dialect.status(format_time(time_us), occupied=False))
        self._told_mw = None

    def _arrives(self, view: _View) -> Iterator[Message]:
        time_us = self._stays.plug_us
        yield from self._say(time_us, self._dialect.status(format_time(time_us), occupied=True))
        transaction, meter = self._transaction(time_us), self._meter(view, time_us)
        if self._signing.signs_begin:
            shown = Shown(time_us, meter.import_tenth_wh, meter.export_tenth_wh)
            meter = meter._replace(signed=self._signing.begins(self._signing.page + 1, shown))
        time_us += SECOND_US // 2
        yield from self._say(time_us, self._dialect.started(self._station, transaction, meter))
        yield from self._is_told(view, time_us + SECOND_US)

    def _is_told(self, view: _View, from_us: int) -> Iterator[Message]:
        """The aggregator's set point, when it changed; told shortly before it holds."""
        setpoint_mw = view.setpoint_mw[self._site]
        if not self._ordered or setpoint_mw == self._told_mw or not self._stays.plugged(from_us):
            return
        self._told_mw = setpoint_mw
        early = from_us == view.start_us and view.number > 0
        at_us = from_us - _ORDER_LEAD_US if early else from_us + MINUTE_US * (from_us == self._plan.start_us)
        profile = Profile(from_us // SECOND_US, format_time(from_us), None, setpoint_mw // 1000, whole_station=False)
        call = self._dialect.profile(self._transaction(from_us), profile)
        yield from self._say(at_us, call, from_backend=True)

    def _is_limited(self) -> Iterator[Message]:
        from_us = self._plan.minute_us(self._plan.limit_minutes.start)
        seconds = len(self._plan.limit_minutes) * 60
        profile = Profile(from_us // SECOND_US, format_time(from_us), seconds, LIMIT_MW // 1000, whole_station=True)
        call = self._dialect.profile(self._transaction(from_us), profile)
        yield from self._say(from_us - _LIMIT_LEAD_US, call, from_backend=True)

    def _say(self, time_us: int, call: Call, *, from_backend: bool = False) -> Iterator[Message]:
        """Send a call as it is really sent, whatever befalls it."""
        sending: Sending | None = Sending(time_us, call)
        for mishap in self._mishaps:
            sending = sending and mishap.suffer(sending)
        if sending is not None:
            yield from self._line.calls(*sending, from_backend=from_backend)
