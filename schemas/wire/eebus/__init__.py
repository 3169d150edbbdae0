"""EEBUS SPINE: what energy managers, wallboxes, control boxes and assets say to each other over SHIP, as JSON.

Sources: EEBus SPINE protocol specification and resource specification 1.3.0, EEBus SHIP specification 1.0.1, and the
use case specifications named where they matter (EVCEM, EVSOC, EVCC, OPEV, OSCEV, LPC, LPP, MPC, MGCP).

- :mod:`~schemas.wire.eebus.logs` cuts logs into datagrams, byte for byte as they crossed;
- :mod:`~schemas.wire.eebus.stacks` does the same with what programs write that speak EEBUS;
- :mod:`~schemas.wire.eebus.forms` reads both JSON forms and writes the wire's;
- :mod:`~schemas.wire.eebus.functions` holds what the functions read here must look like;
- :mod:`~schemas.wire.eebus.datagram` checks header and commands, and writes datagrams;
- :mod:`~schemas.wire.eebus.moments` reads times and durations;
- :mod:`~schemas.wire.eebus.kinds` tells which actor a device is;
- :mod:`~schemas.wire.eebus.descriptions` remembers what a connection has described;
- :mod:`~schemas.wire.eebus.tariffs` knows what incentives of a tariff are;
- :mod:`~schemas.wire.eebus.decoding` puts them together.
"""

from schemas.wire.contract import WireFormat
from schemas.wire.eebus.decoding import decode
from schemas.wire.eebus.logs import recognise, split
from schemas.wire.eebus.stacks import LINES

FORMAT = WireFormat("eebus", "EEBUS SPINE datagrams (JSON)", recognise, split, decode, log_lines=LINES)
