"""What is asked for when a day is written."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from replay.scenario.faults import DEFAULT_FAULTS, Faults

ISO15118_CARS: Final = 12
"""How many cars speak ISO 15118 in a street of any size."""

_SLOT_S: Final = 900


@dataclass(frozen=True, slots=True)
class Setting:
    """The same setting gives the same bytes.

    Registers and batteries start on ``first_day`` (None: on the day itself) and go on from day to day, so two
    days with the same first day fit together. Intervals must divide a quarter hour. The first ``iso15118_cars`` cars
    that can speak ISO 15118 with their wallboxes do: EXI costs more than all else that is said in the street.
    """

    sites: int = 12
    seed: int = 1
    sml_interval_s: int = 60
    ocpp_interval_s: int = 60
    faults: Faults = DEFAULT_FAULTS
    first_day: date | None = None
    iso15118_cars: int = ISO15118_CARS

    def __post_init__(self) -> None:
        for interval_s in (self.sml_interval_s, self.ocpp_interval_s):
            if interval_s < 1 or _SLOT_S % interval_s:
                raise ValueError(f"an interval of {interval_s} s does not divide a quarter hour")
        if self.iso15118_cars < 0:
            raise ValueError(f"no {self.iso15118_cars} cars can speak ISO 15118")
