"""Interface 8: what energy managers read of their houses' devices over Modbus, as SunSpec has it.

The inverter of a roof is asked over TCP for all of its registers (model 103). The car at a bidirectional wallbox is a
storage (models 701 and 713), of which the manager's tool writes dumps; its state of charge is known while it is plugged
in. Both at the beginning of every quarter hour and at the day's end, of the first houses of the street.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from replay.scenario.grid import frequency_mhz
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


class Assets:
    """All devices that are read over Modbus, through one day."""

    def __init__(self, street: Street, plan: DayPlan) -> None:
        self._street, self._plan = street, plan
        sites = range(min(street.sites, SPEAKING_HOUSES))
        self._names = [names for site in sites if (names := names_of(street, site)).inverter]

    def messages(self, quarter: Quarter) -> Iterator[Message]:
        """What is read at the beginning of a quarter hour, and at the end of the last."""
        yield from self._at(quarter, 0, quarter.start_us)
        if quarter.number == len(self._plan.slots) - 1:
            yield from self._at(quarter, SLOT_MINUTES, quarter.start_us + SLOT_US)

    def _at(self, quarter: Quarter, column: int, time_us: int) -> Iterator[Message]:
        for names in self._names:
            yield from self._inverter(names, quarter, column, time_us)
            if names.storage:
                yield self._storage(names, quarter, column, time_us)

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
        models: list[tuple[int, dict[str, Any]]] = [
            _common(names.storage, "V2H"),
            (701, said),
            (713, self._battery(site, quarter, column) if here else {}),
        ]
        raw = encode_dump(encode_registers(models), base=_BASE, unit=1 + site, time=format_time(time_us))
        return Message(time_us, INTERFACE, names.hems, raw, {}, DUMPS)

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


def dump_of(message: Message) -> bytes:
    """The dump as a line of the log."""
    return message.raw + b"\n"


def _common(serial: str, device: str) -> tuple[int, dict[str, Any]]:
    return 1, {"Mn": _MAKER, "Md": device, "Vr": "1.0", "SN": serial}
