"""Section 14a EnWG: what a connection may draw at least while the grid operator limits it.

BNetzA BK6-22-300, annex 1, 4.5; in force since 2024-01-01. Who limits devices one by one owes each 4.2 kW, of a heat
pump or cooling above 11 kW 40 % of what it is built for. Who limits an energy manager owes

    P_min = base + (n - 1) x GZF x 4.2 kW

where n counts the controllable loads, GZF is the factor of simultaneity, and base is 4.2 kW; it is 40 % of the heat
pumps or of the cooling, whichever is more, where all of one kind together exceed 11 kW.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

RULES: Final = "enwg-14a/2024-01"

HEAT_PUMP: Final = "heat-pump"
COOLING: Final = "cooling"
GROUPED: Final = (HEAT_PUMP, COOLING)
"""Kinds of which all devices together count as one load, for they share one base [M]."""

LEAST_MW: Final = 4_200_000
"""Guaranteed to one load."""

GROUP_ABOVE_W: Final = 11_000
_SHARE_PERCENT: Final = 40
_SIMULTANEITY_PERCENT: Final = (100, 80, 75, 70, 65, 60, 55, 50, 45)
"""For n = 1, 2 ... 9 and more."""


class Load(NamedTuple):
    """A controllable load: heat-pump, cooling, wallbox, battery; and the electrical power it is built for."""

    kind: str
    rating_w: int


class Guarantee(NamedTuple):
    """What is owed, for how many loads, by which rules.

    Where loads are limited one by one, ``power_mw`` is what each of them is owed at least, and ``most_mw`` what the one
    is owed that is owed most; None: an energy manager is limited, and ``power_mw`` is for all of them together.
    """

    power_mw: int
    loads: int
    rules: str = RULES
    most_mw: int | None = None

    def is_kept_by(self, ceiling_mw: int) -> bool | None:
        """Whether a ceiling leaves what is owed; None where that depends on which load it is for."""
        if ceiling_mw < self.power_mw:
            return False
        return True if self.most_mw is None or ceiling_mw >= self.most_mw else None


def guaranteed(loads: Iterable[Load]) -> Guarantee:
    """What is owed to all loads behind one energy manager; nothing where there are none.

    >>> wallbox, battery = Load("wallbox", 11_000), Load("battery", 5_000)
    >>> [guaranteed([wallbox] * count).power_mw for count in (1, 2, 3, 9)]
    [4200000, 7560000, 10500000, 19320000]
    >>> guaranteed([Load("heat-pump", 20_000), wallbox, battery]).power_mw
    14300000
    """
    single, groups = 0, Counter[str]()
    for load in loads:
        if load.kind in GROUPED:
            groups[load.kind] += load.rating_w
        else:
            single += 1
    count = single + len(groups)
    if not count:
        return Guarantee(0, 0)
    large_mw = [_share_mw(rating_w) for rating_w in groups.values() if rating_w > GROUP_ABOVE_W]
    percent = _SIMULTANEITY_PERCENT[min(count, len(_SIMULTANEITY_PERCENT)) - 1]
    return Guarantee(max(large_mw, default=LEAST_MW) + (count - 1) * LEAST_MW * percent // 100, count)


def guaranteed_directly(load: Load) -> Guarantee:
    """What is owed to a load that is limited by itself.

    >>> [guaranteed_directly(Load("heat-pump", rating_w)).power_mw for rating_w in (11_000, 20_000)]
    [4200000, 8000000]
    >>> guaranteed_directly(Load("wallbox", 22_000)).power_mw
    4200000
    """
    is_large = load.kind in GROUPED and load.rating_w > GROUP_ABOVE_W
    return Guarantee(_share_mw(load.rating_w) if is_large else LEAST_MW, 1)


def guaranteed_one_by_one(loads: Iterable[Load]) -> Guarantee:
    """What is owed to loads of which each is limited by itself.

    >>> guaranteed_one_by_one([Load("heat-pump", 20_000), Load("wallbox", 11_000)])
    Guarantee(power_mw=4200000, loads=2, rules='enwg-14a/2024-01', most_mw=8000000)
    """
    each = [guaranteed_directly(load).power_mw for load in loads]
    return Guarantee(min(each, default=0), len(each), most_mw=max(each, default=0))


def guaranteed_apart(parts: Iterable[Guarantee]) -> Guarantee:
    """What is owed to several who are limited each by itself: energy managers, and loads without one; at least one.

    >>> guaranteed_apart([guaranteed([Load("wallbox", 11_000)] * 2), guaranteed_one_by_one([Load("battery", 5_000)])])
    Guarantee(power_mw=4200000, loads=3, rules='enwg-14a/2024-01', most_mw=7560000)
    """
    known = list(parts)
    most_mw = max(part.power_mw if part.most_mw is None else part.most_mw for part in known)
    return Guarantee(min(part.power_mw for part in known), sum(part.loads for part in known), most_mw=most_mw)


def loads_of(text: str) -> list[Load]:
    """The loads of a metering location as master data tell them.

    >>> loads_of("wallbox=11000 heat-pump=9000")
    [Load(kind='wallbox', rating_w=11000), Load(kind='heat-pump', rating_w=9000)]
    """
    return [Load(kind, int(rating_w)) for kind, _, rating_w in (word.partition("=") for word in text.split())]


def _share_mw(rating_w: int) -> int:
    return rating_w * 1000 * _SHARE_PERCENT // 100
