"""Readings to quarter hours (../shared/domain/settlement.md, "Readings to slots").

``rules`` names the numbers, ``register`` says what one register showed at an instant, ``device`` follows the meters of
a point through their exchange, ``quarter_hour`` chooses the best of all sources.
"""

from twin.slots.quarter_hour import QuarterHour, best_of, quarter_hours, total
from twin.slots.register import RegisterReading
from twin.slots.rules import RULES, Rules

__all__ = ["RULES", "QuarterHour", "RegisterReading", "Rules", "best_of", "quarter_hours", "total"]
