"""What the grid itself does: its frequency, the same for everybody who measures it."""

from replay.scenario.plan import DayPlan
from replay.scenario.street import Street

_NOMINAL_MHZ = 50_000
_OFF_MHZ = 35


def frequency_mhz(street: Street, plan: DayPlan, minute: int) -> int:
    """Millihertz in a minute of the day, a little beside 50 Hz."""
    drawn = street.draws.one("frequency", -_OFF_MHZ, _OFF_MHZ + 1, plan.day.toordinal(), minute)
    return _NOMINAL_MHZ + drawn
