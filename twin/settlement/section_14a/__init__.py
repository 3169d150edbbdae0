"""Section 14a EnWG: what the grid operator may limit, and what he owes while he does (BNetzA BK6-22-300)."""

from twin.settlement.section_14a.evidence import Event, events_of
from twin.settlement.section_14a.guarantee import (
    LEAST_MW,
    RULES,
    Guarantee,
    Load,
    guaranteed,
    guaranteed_apart,
    guaranteed_directly,
    guaranteed_one_by_one,
    loads_of,
)

__all__ = [
    "LEAST_MW",
    "RULES",
    "Event",
    "Guarantee",
    "Load",
    "events_of",
    "guaranteed",
    "guaranteed_apart",
    "guaranteed_directly",
    "guaranteed_one_by_one",
    "loads_of",
]
