"""Lines of an OCPP log that the tests send; ``twin`` as a process; patience."""

import os
import subprocess
import sys
import time

GOOD = (
    b'{"time":"2026-03-29T10:00:00Z","station":"CS1","direction":"to_csms","subprotocol":"ocpp2.0.1",'
    b'"frame":[2,"1","StatusNotification",{"timestamp":"2026-03-29T09:59:59Z","connectorStatus":"Occupied",'
    b'"evseId":1,"connectorId":1}]}\n'
)
SHORT = GOOD.replace(
    b',{"timestamp":"2026-03-29T09:59:59Z","connectorStatus":"Occupied","evseId":1,"connectorId":1}', b""
)
CHARGED_TO_300 = (
    b'{"time":"2026-03-29T10:00:00Z","station":"CS1","direction":"to_csms","subprotocol":"ocpp2.0.1",'
    b'"frame":[2,"2","MeterValues",{"evseId":1,"meterValue":[{"timestamp":"2026-03-29T10:00:00Z","sampledValue":'
    b'[{"value":300,"measurand":"SoC","unitOfMeasure":{"unit":"Percent"}},{"value":7000.5,'
    b'"measurand":"Energy.Active.Import.Register","unitOfMeasure":{"unit":"Wh"}}]}]}]}\n'
)

_TWIN = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from cli.main import main
main()
"""


def wait_for(condition, patience_s=60):
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def started(street, *arguments, **more):
    """``twin`` as a process on the street; Ctrl-C reaches it even where whoever runs the tests has it ignored."""
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _TWIN, *map(str, arguments)],
        env={**os.environ, **street.environment, **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


MIXED = b"""[main  ] INFO 2026/03/29 14:00:00 started
[sunspec] TRACE 2026/03/29 14:00:01 modbus: send 00 07 00 00 00 06 01 03 9c 40 00 04
[eebus ] TRACE 2026/03/29 14:00:02 Recv: 0123456789abcdef0123456789abcdef01234567 {"datagram":{"header":{\
"addressSource":{"device":"d:_i:1_Box","entity":[1],"feature":1},"addressDestination":{"device":"d:_i:1_Hems",\
"entity":[1],"feature":1},"msgCounter":1,"cmdClassifier":"read"},"payload":{"cmd":[{"loadControlLimitListData":{}}]}}}
[ocpp  ] TRACE 2026/03/29 14:00:03 received JSON message from CP1: [2,"7","Heartbeat",{}]
"""
"""A program's log with talk, Modbus, EEBUS and OCPP."""
