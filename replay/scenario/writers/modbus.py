"""Interface 8: what energy managers read of their houses' devices over Modbus, as SunSpec has it.

The inverter of a roof is asked over TCP for all of its registers (model 103). The car at a bidirectional wallbox is a
storage (models 701 and 713), of which the manager's tool writes dumps; its state of charge is known while it is plugged
in. So it does of the battery of a house that has one (models 701 and 802). All at the beginning of every quarter hour
and at the day's end, of the first houses of the street.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from replay.scenario.grid import frequency_mhz
from replay.scenario.home_battery import EFFICIENCY_PERMILLE
from replay.scenario.message import Message
from replay.scenario.names import SPEAKING_HOUSES, Names, names_of
from replay.scenario.plan import SLOT_MINUTES, DayPlan
from replay.scenario.street import KWH_MWS, MWS_PER_WH, Street
from replay.scenario.world import Quarter, plugged_in
from schemas.time import SLOT_US, format_time
from schemas.wire.modbus import encode_dump, encode_read, encode_registers, encode_response

INTERFACE: Final = "8"
DUMPS: Final = "8 dumps"

_BASE: Final = 40_000
_ANSWER_US: Final = 20_000
_MAKER: Final = "Gegenstrom"
_BATTERY_UNIT: Final = 100
_EMPTY_PERCENT, _FULL_PERCENT = 5, 99
_NOMINAL_TENTHS_VOLT: Final = 5_000
"""Of the bank of a house's battery, when it is half full."""


class Assets:
    """All devices that are read over Modbus, through one day."""

    def __init__(self, street: Street, plan: DayPlan) -> None:
        self._street, self._plan = street, plan
        sites = range(min(street.sites, SPEAKING_HOUSES))
        self._names = [names_of(street, site) for site in sites]

    def messages(self, quarter: Quarter) -> Iterator[Message]:
        """What is read at the beginning of a quarter hour, and at the end of the last."""
        yield from self._at(quarter, 0, quarter.start_us)
        if quarter.number == len(self._plan.slots) - 1:
            yield from self._at(quarter, SLOT_MINUTES, quarter.start_us + SLOT_US)

    def _at(self, quarter: Quarter, column: int, time_us: int) -> Iterator[Message]:
        for names in self._names:
            if names.inverter:
                yield from self._inverter(names, quarter, column, time_us)
            if names.storage:
                yield self._storage(names, quarter, column, time_us)
            if names.home_battery and self._street.household(names.site).battery == "Modbus":
                yield self._home_battery(names, quarter, column, time_us)

    def _inverter(self, names: Names, quarter: Quarter, column: int, time_us: int) -> Iterator[Message]:
        power_w = int(quarter.pv_mw[names.site, min(column, SLOT_MINUTES - 1)]) // 1000
        said = {
            "W": power_w,
            "W_SF": 0,
            "Hz": self._frequency_hz(quarter, column),
            "Hz_SF": -2,
            "WH": int(quarter.generated_mws[names.site, column]) // MWS_PER_WH,
            "WH_SF": 0,
            "St": "MPPT" if power_w else "SLEEPING",
        }
        registers = encode_registers([_common(names.inverter, "Roof"), (103, said)])
        transaction = time_us // SLOT_US % (1 << 16)
        asked = encode_read(transaction, 1, _BASE, len(registers))
        answered = encode_response(transaction, 1, registers)
        yield Message(time_us, INTERFACE, names.hems, asked, {})
        yield Message(time_us + _ANSWER_US, INTERFACE, names.hems, answered, {})

    def _storage(self, names: Names, quarter: Quarter, column: int, time_us: int) -> Message:
        site, minute = names.site, min(column, SLOT_MINUTES - 1)
        drawn_w = quarter.drawn_mw(site, minute) // 1000
        here = bool(plugged_in(self._plan, quarter.number * SLOT_MINUTES + minute)[site])
        said = {
            "ACType": "THREE_PHASE",
            "St": "ON" if here else "OFF",
            "ConnSt": "CONNECTED" if here else "DISCONNECTED",
            "W": -drawn_w,
            "W_SF": 0,
            "Hz": self._frequency_hz(quarter, column),
            "Hz_SF": -2,
            "TotWhInj": int(quarter.discharged_mws[site, column]) // MWS_PER_WH,
            "TotWhAbs": int(quarter.charged_mws[site, column]) // MWS_PER_WH,
            "TotWh_SF": 0,
        }
        models = [
            _common(names.storage, "V2H"),
            (701, said),
            (713, self._battery(site, quarter, column) if here else {}),
        ]
        return _dump(names, models, 1 + site, time_us)

    def _home_battery(self, names: Names, quarter: Quarter, column: int, time_us: int) -> Message:
        """What its inverter shows, on the side of alternating current, and its bank, on the other."""
        site, minute = names.site, min(column, SLOT_MINUTES - 1)
        taken_w = quarter.stored_w(site, minute)
        said = {
            "ACType": "THREE_PHASE",
            "St": "ON",
            "InvSt": "RUNNING" if taken_w else "STANDBY",
            "ConnSt": "CONNECTED",
            "W": -taken_w,
            "W_SF": 0,
            "Hz": self._frequency_hz(quarter, column),
            "Hz_SF": -2,
            "TotWhInj": int(quarter.home_discharged_mws[site, column]) // MWS_PER_WH,
            "TotWhAbs": int(quarter.home_charged_mws[site, column]) // MWS_PER_WH,
            "TotWh_SF": 0,
        }
        stored_mws = int(quarter.home_stored_mws[site, column])
        models = [_common(names.home_battery, "Battery"), (701, said), (802, self._bank(site, stored_mws, taken_w))]
        return _dump(names, models, _BATTERY_UNIT, time_us)

    def _bank(self, site: int, stored_mws: int, taken_w: int) -> dict[str, Any]:
        """The battery itself; what it loses lies between it and the inverter's other side."""
        capacity_mws = int(self._street.home_battery_mws[site])
        most_w = int(self._street.home_battery_mw[site]) // 1000
        soc = stored_mws * 100 // capacity_mws
        bank_w = taken_w * EFFICIENCY_PERMILLE // 1000 if taken_w > 0 else taken_w * 1000 // EFFICIENCY_PERMILLE
        idle = "EMPTY" if soc <= _EMPTY_PERCENT else "FULL" if soc >= _FULL_PERCENT else "HOLDING"
        tenths_volt = _NOMINAL_TENTHS_VOLT + 4 * (soc - 50)
        return {
            "AHRtg": capacity_mws // MWS_PER_WH // (_NOMINAL_TENTHS_VOLT // 10),
            "AHRtg_SF": 0,
            "WHRtg": capacity_mws // MWS_PER_WH,
            "WHRtg_SF": 0,
            "WChaRteMax": most_w,
            "WDisChaRteMax": most_w,
            "WChaDisChaMax_SF": 0,
            "SoC": soc,
            "SoC_SF": 0,
            "ChaSt": "CHARGING" if bank_w > 0 else "DISCHARGING" if bank_w < 0 else idle,
            "LocRemCtl": "LOCAL",
            "Typ": "LITHIUM_ION",
            "State": "CONNECTED",
            "Evt1": [],
            "V": Decimal(tenths_volt).scaleb(-1),
            "V_SF": -1,
            "A": Decimal(bank_w * 100 // tenths_volt).scaleb(-1),
            "A_SF": -1,
            "W": bank_w,
            "W_SF": 0,
        }

    def _battery(self, site: int, quarter: Quarter, column: int) -> dict[str, Any]:
        """State of charge in whole percent, as the wallbox says it elsewhere; energy in tenths of a kWh."""
        capacity_mws, held_mws = int(self._street.battery_mws[site]), int(quarter.soc_mws[site, column])
        return {
            "WHRtg": capacity_mws // MWS_PER_WH,
            "WHAvail": held_mws * 10 // KWH_MWS * 100,
            "WH_SF": 2,
            "SoC": held_mws * 100 // capacity_mws,
            "Pct_SF": 0,
            "Sta": "OK",
        }

    def _frequency_hz(self, quarter: Quarter, column: int) -> Decimal:
        """To the hundredth, as the devices show it."""
        minute = quarter.number * SLOT_MINUTES + column
        return Decimal(frequency_mhz(self._street, self._plan, minute) // 10).scaleb(-2)


def _dump(names: Names, models: Sequence[tuple[int, dict[str, Any]]], unit: int, time_us: int) -> Message:
    raw = encode_dump(encode_registers(models), base=_BASE, unit=unit, time=format_time(time_us))
    return Message(time_us, INTERFACE, names.hems, raw, {}, DUMPS)


def dump_of(message: Message) -> bytes:
    """The dump as a line of the log."""
    return message.raw + b"\n"


def _common(serial: str, device: str) -> tuple[int, dict[str, Any]]:
    return 1, {"Mn": _MAKER, "Md": device, "Vr": "1.0", "SN": serial}
