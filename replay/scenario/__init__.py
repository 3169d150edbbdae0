"""A small physical world that writes native messages for any legal German day, and the truth beside them.

A street of households, some with PV, battery, heat pump, wallbox and bidirectional car; an aggregator that discharges
cars in the evening; day-ahead prices; an hour under section 14a. The same arguments give the same bytes.
"""

from replay.scenario.day import DayWritten, messages, write_day
from replay.scenario.faults import NO_FAULTS, Faults
from replay.scenario.setting import Setting

__all__ = ["NO_FAULTS", "DayWritten", "Faults", "Setting", "messages", "write_day"]
