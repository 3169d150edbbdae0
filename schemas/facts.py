"""Facts: what an event says, as plain immutable values.

Energy is in integer milliwatt-hours and never negative: import (grid to customer) and export
(customer to grid) are two registers, never netted. Power is in milliwatts, import positive.
Times are integer microseconds since 1970 in UTC.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal, NamedTuple

Direction = Literal["import", "export"]

MEASURED: Final = "measured"
SUBSTITUTE: Final = "substitute"
PRELIMINARY: Final = "preliminary"
INTERPOLATED: Final = "interpolated"
INDICATIVE: Final = "indicative"
MISSING: Final = "missing"

QUALITIES: Final = (MEASURED, SUBSTITUTE, PRELIMINARY, INTERPOLATED, INDICATIVE, MISSING)
"""Best first (shared rule: settlement, "Quantities"). A position in this tuple is stored in the database."""

Scalar = int | str | bool | Decimal | None


class Observation(NamedTuple):
    """An attribute of an actor had this value at this time. ``unit`` is ``""`` for text and flags."""

    actor: str
    attribute: str
    value: Scalar
    unit: str
    time_us: int


class Reading(NamedTuple):
    """The state of an energy register of a metering point.

    ``point`` is what is asked for (MeLo, MaLo, meter id, ``STATION/EVSE``), ``device`` the meter that
    counted. ``obis`` in the form ``1-0:1.8.0``. ``document`` is empty for a live meter; for a reading from a
    market document it is ``<document time, ISO Z>|<sender>|<document number>``, so that it sorts by version.
    ``digits`` is how many digits before the decimal point (in kWh) the register has, 0 when not known.
    """

    point: str
    device: str
    obis: str
    direction: Direction
    time_us: int
    value_mwh: int
    quality: str
    document: str = ""
    digits: int = 0


class Sample(NamedTuple):
    """A power measurement of a point in mW, import positive; only where no register exists."""

    point: str
    power_mw: int
    time_us: int
    quality: str


class SlotValue(NamedTuple):
    """A value for one quarter hour of a series, for example ``energy.import`` of a MaLo in mWh.

    ``version`` sorts by domain (document time first), never by arrival. Equal version with another
    value is a conflict: kept and shown.
    """

    series: str
    object: str
    slot_us: int
    value: int | Decimal
    unit: str
    quality: str
    version: str


class Reject(NamedTuple):
    """Part of an event that was readable but cannot be believed; goes to the quarantine with its reason."""

    reason: str
    detail: str


Fact = Observation | Reading | Sample | SlotValue


@dataclass(slots=True)
class Facts:
    """What one or many events say, sorted by kind; observers append to it."""

    observations: list[Observation] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    slot_values: list[SlotValue] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    def counts(self) -> tuple[int, int, int, int]:
        """How many observations, readings, samples and slot values there are."""
        return len(self.observations), len(self.readings), len(self.samples), len(self.slot_values)

    def cut_back(self, counts: tuple[int, int, int, int]) -> None:
        """Forget what came after there were so many: an event's facts hold together or not at all."""
        for rows, count in zip((self.observations, self.readings, self.samples, self.slot_values), counts, strict=True):
            del rows[count:]  # type: ignore[attr-defined]

    def all(self) -> list[Fact]:
        """Every fact, readings first."""
        return [*self.readings, *self.samples, *self.slot_values, *self.observations]
