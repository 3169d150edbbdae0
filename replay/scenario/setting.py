"""What is asked for when a day is written."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from replay.scenario.faults import DEFAULT_FAULTS, Faults

_SLOT_S: Final = 900


@dataclass(frozen=True, slots=True)
class Setting:
    """The same setting gives the same bytes.

    Registers and batteries start on ``first_day`` (None: on the day itself) and go on from day to day, so two
    days with the same first day fit together. Intervals must divide a quarter hour.
    """

    sites: int = 12
    seed: int = 1
    sml_interval_s: int = 60
    ocpp_interval_s: int = 60
    faults: Faults = DEFAULT_FAULTS
    first_day: date | None = None

    def __post_init__(self) -> None:
        for interval_s in (self.sml_interval_s, self.ocpp_interval_s):
            if interval_s < 1 or _SLOT_S % interval_s:
                raise ValueError(f"an interval of {interval_s} s does not divide a quarter hour")
