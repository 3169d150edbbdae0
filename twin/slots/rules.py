"""The rule set by which readings become quarter hours: named numbers a user can see and change."""

from dataclasses import dataclass
from typing import Final

from schemas.facts import QUALITIES
from schemas.time import HOUR_US, SECOND_US, SLOT_US

CONFLICT: Final = "conflict"
"""Different values are claimed for one instant or one version; the smallest counts, preliminary at best."""
ROLLOVER: Final = "rollover"
"""The register went through its highest value; its width is known and the energy is exact."""
EXCHANGE: Final = "register-exchange"
"""The device was exchanged: old and new are differenced apart and added."""
PARTIAL: Final = "partial"
"""The first or last reading lies inside the slot: the energy is that of the part that was read."""
GAP: Final = "gap"
"""No readings near enough, and the register moved in between: nobody knows when."""
UNKNOWN_WIDTH: Final = "unknown-register-width"
"""The register may have rolled over, but how many digits it has is not known."""
BACKWARDS: Final = "backwards"
"""The register fell, and no rollover explains it."""
IMPLAUSIBLE: Final = "implausible"
"""More energy than the connection can carry, for example watt-hours taken for kilowatt-hours."""

REFUSALS: Final = frozenset({UNKNOWN_WIDTH, BACKWARDS, IMPLAUSIBLE})
"""Reasons for which readings exist but yield no value: alarms, not gaps."""

_MWH_PER_KWH_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Rules:
    """One version of the rules; every quarter hour names the one it was made by.

    Attributes:
        version: Name and version, for example ``slots/2026-10``.
        on_edge_tolerance_us: A reading this near an edge counts as on it, its value as it is. 9 s are 1 % of a quarter
            hour, the bound of the calibration rules for load profiles.
        max_interpolation_us: How far apart two readings may be for a register that moved to be interpolated between
            them. Assumption: over two hours a straight line says nothing about the quarter hours within.
        max_exchange_us: How long a device may be away between the last reading of the old and the first of the new
            one. Assumption: nothing flows meanwhile, the supply is cut for the work.
        max_connection_w: What a connection can carry: 276 kW are 400 A at 400 V, three phases.
    """

    version: str = "slots/2026-10"
    on_edge_tolerance_us: int = 9 * SECOND_US
    max_interpolation_us: int = 2 * HOUR_US
    max_exchange_us: int = 2 * HOUR_US
    max_connection_w: int = 276_000

    def is_plausible(self, energy_mwh: int, elapsed_us: int) -> bool:
        """Whether a connection can carry the energy in that time, a quarter hour at least.

        Readings lie closer than their registers' resolution: one kWh in one second is a step of the display.

        >>> Rules().is_plausible(69_000_000, SLOT_US), Rules().is_plausible(69_000_001, SLOT_US)
        (True, False)
        """
        return energy_mwh * HOUR_US <= self.max_connection_w * 1000 * max(elapsed_us, SLOT_US)


RULES: Final = Rules()


def rollover_mwh(digits: int) -> int:
    """What a register with so many digits before the decimal point (in kWh) counts before it begins again.

    >>> rollover_mwh(6)
    1000000000000
    """
    highest: int = 10 ** (digits + _MWH_PER_KWH_DIGITS)
    return highest


def worst(*qualities: str) -> str:
    """The worst of some qualities in the order of :data:`schemas.facts.QUALITIES`.

    >>> worst("measured", "interpolated"), worst("indicative", "interpolated")
    ('interpolated', 'indicative')
    """
    return max(qualities, key=QUALITIES.index)


def merged(*flags: tuple[str, ...]) -> tuple[str, ...]:
    """Union of flags, sorted."""
    return tuple(sorted(set().union(*flags)))
