"""IEC 61851-1: what the control pilot between vehicle and charging station shows (interface 1).

No standard says how a trace is written, so this is a format of our own, a sample a line. CSV with a head, or JSON lines
with the same names:

- ``time``: ISO 8601 with a zone; needed;
- ``evse``: the EVSE's id; where it is missing, the source is it;
- ``state``: A to F; ``1`` behind it for a steady pilot, ``2`` for one with PWM, as table A.4 writes it; needed;
- ``duty_cycle``: of the PWM, in per cent; 100 for a steady positive pilot, empty where it was not measured;
- ``voltage``: of the pilot's upper level, in volts.

Payload::

    {"evse": "BOX1", "state": "C", "pwm": true, "duty_cycle": 50, "voltage": 6, "current_limit": 30,
     "meaning": "charging up to the limit"}
"""

from schemas.wire.contract import WireFormat
from schemas.wire.iec61851.pilot import decode
from schemas.wire.iec61851.table import recognise, split

FORMAT = WireFormat(
    name="iec61851",
    title="IEC 61851 control-pilot trace (CSV, JSON lines)",
    recognise=lambda head, _name: recognise(head),
    split=split,
    decode=decode,
)

__all__ = ["FORMAT"]
