"""Interfaces 15 and 47: the meters' SML telegrams to their gateways, and some over the HAN to the energy managers."""

from collections.abc import Iterator
from typing import Final

from replay.scenario.faults import Faults
from replay.scenario.message import Message
from replay.scenario.names import Names, names_of
from replay.scenario.plan import SLOT_MINUTES, DayPlan
from replay.scenario.street import MINUTE_S, MWS_PER_MWH, Street
from replay.scenario.truth import METER_STEP_MWH, NEW_METER_MWH
from replay.scenario.world import Quarter
from schemas.time import SECOND_US, SLOT_US, format_time
from schemas.wire.sml.writing import Form

GATEWAY: Final = "15"
HAN: Final = "47"

_HAN_S: Final = 300
_MWS_PER_STEP: Final = MWS_PER_MWH * METER_STEP_MWH

_WH, _W, _TENTHS = 30, 27, -1
_STATUS: Final = 0x001C_0104
"""A Basiszähler that runs, all phases there (FNN Lastenheft Basiszähler)."""
_STATUS_EXPORTING: Final = _STATUS | 1 << 11
_STARTED_S: Final = 1_700_000_000
"""When the meters were put up: from then on they count seconds."""

_INDEX, _STATE, _IMPORT, _EXPORT, _POWER = 0xB1A2C3D1, 0xB1A2C3D2, 0xB1A2C3D3 << 32, 0xB1A2C3D4 << 32, -0x51A2C3D5
"""Numbers that stand in the form of a telegram for those that change."""


class Meters:
    """All meters of the street through one day; fed with quarter hours in order."""

    def __init__(self, street: Street, plan: DayPlan, faults: Faults, *, interval_s: int) -> None:
        self._plan, self._interval_s = plan, interval_s
        self._names = [names_of(street, site) for site in range(street.sites)]
        self._forms = [_form(names) for names in self._names]
        self._drift_us = [faults.drift_s(site) * SECOND_US for site in range(street.sites)]
        self._gaps = [faults.gap_of(site, plan) for site in range(street.sites)]
        moments = ((site, faults.exchange_of(site, plan)) for site in range(street.sites))
        self._exchanges = {site: _Exchange(self._names[site], minute) for site, minute in moments if minute is not None}

    def messages(self, quarter: Quarter) -> Iterator[Message]:
        """The telegrams of a quarter hour, and of the day's end with the last."""
        for site, exchange in self._exchanges.items():
            if exchange.minute // SLOT_MINUTES == quarter.number:
                yield from self._exchanged(quarter, site, exchange)
        last = quarter.number == len(self._plan.slots) - 1
        for since_s in range(0, SLOT_US // SECOND_US + last, self._interval_s):
            yield from self._at(quarter, since_s, GATEWAY)
        for since_s in range(0, SLOT_US // SECOND_US + last, _HAN_S):
            yield from self._at(quarter, since_s, HAN)

    def _exchanged(self, quarter: Quarter, site: int, exchange: "_Exchange") -> Iterator[Message]:
        """The last telegram of the old meter and the first of the new one."""
        column = exchange.minute % SLOT_MINUTES
        time_us = self._plan.minute_us(exchange.minute)
        power_w = int(quarter.grid_mw[site, column]) // 1000
        stood_mws = (int(quarter.import_mws[site, column]), int(quarter.export_mws[site, column]))
        exchange.stood_mws = stood_mws
        old = (stood_mws[0] // _MWS_PER_STEP, stood_mws[1] // _MWS_PER_STEP)
        for form, shown in ((self._forms[site], old), (exchange.form, exchange.shown(stood_mws))):
            raw = _telegram(form, _index(time_us), *shown, power_w)
            yield Message(time_us + self._drift_us[site], GATEWAY, self._names[site].smgw, raw, {})

    def _at(self, quarter: Quarter, since_s: int, interface: str) -> Iterator[Message]:
        minute = min(since_s // MINUTE_S, quarter.load_mw.shape[1] - 1)
        seconds = since_s - minute * MINUTE_S
        grid_mw = quarter.grid_mw[:, minute]
        imports_mws = quarter.import_mws[:, minute] + grid_mw.clip(min=0) * seconds
        exports_mws = quarter.export_mws[:, minute] + (-grid_mw).clip(min=0) * seconds
        time_us = quarter.start_us + since_s * SECOND_US
        of_day = (time_us - self._plan.start_us) // (MINUTE_S * SECOND_US)
        index = _index(time_us)
        imports, exports = imports_mws // _MWS_PER_STEP, exports_mws // _MWS_PER_STEP
        rows = zip(imports.tolist(), exports.tolist(), (grid_mw // 1000).tolist(), strict=True)
        for site, (imported, exported, power_w) in enumerate(rows):
            exchange = self._exchanges.get(site)
            if of_day in self._gaps[site]:
                continue
            if exchange is None or of_day < exchange.minute:
                raw = _telegram(self._forms[site], index, imported, exported, power_w)
            elif interface == GATEWAY and time_us == self._plan.minute_us(exchange.minute):
                continue  # said already, by both meters
            else:
                shown = exchange.shown((int(imports_mws[site]), int(exports_mws[site])))
                raw = _telegram(exchange.form, index, *shown, power_w)
            names = self._names[site]
            source = names.smgw if interface == GATEWAY else names.hems
            yield Message(time_us + self._drift_us[site], interface, source, raw, {})


class _Exchange:
    """A meter that is put up in the place of another at a minute of the day, when that one stood at ``stood_mws``."""

    def __init__(self, names: Names, minute: int) -> None:
        self.minute = minute
        self.form = _form(names.exchanged())
        self.stood_mws = (0, 0)

    def shown(self, registers_mws: tuple[int, int]) -> tuple[int, int]:
        """What the new meter shows where the old one would stand at these registers."""
        imported, exported = (
            (start * MWS_PER_MWH + register - stood) // _MWS_PER_STEP
            for start, register, stood in zip(NEW_METER_MWH, registers_mws, self.stood_mws, strict=True)
        )
        return imported, exported


def _index(time_us: int) -> bytes:
    """What the seconds' counter of a meter shows at a time."""
    return (time_us // SECOND_US - _STARTED_S).to_bytes(4)


def line_of(message: Message) -> bytes:
    """The telegram as a line of the log: time, source, hex."""
    return f"{format_time(message.time_us)} {message.source} {message.raw.hex()}\n".encode()


def _form(names: Names) -> Form:
    """What does not change in the telegrams of a meter; registers in tenths of a watt-hour."""
    server = names.server_id.hex()
    values = [
        ["1-0:96.50.1*1", names.meter[1:4].encode().hex(), None, None, None, None],
        ["1-0:96.1.0", server, None, None, None, None],
        ["1-0:1.8.0", _IMPORT, _WH, _TENTHS, _STATE, None],
        ["1-0:2.8.0", _EXPORT, _WH, _TENTHS, None, None],
        ["1-0:16.7.0", _POWER, _W, 0, None, None],
    ]
    found = {"server": server, "name": None, "time": ["index", _INDEX], "values": values}
    return Form(found, (_INDEX, _STATE, _IMPORT, _EXPORT, _POWER))


def _telegram(form: Form, index: bytes, imported: int, exported: int, power_w: int) -> bytes:
    status = _STATUS_EXPORTING if power_w < 0 else _STATUS
    return form.fill(
        index, status.to_bytes(4), imported.to_bytes(8), exported.to_bytes(8), power_w.to_bytes(4, signed=True)
    )
