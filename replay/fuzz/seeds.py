"""Good messages of every format, to be mutated: from the street and from the formats' own encoders."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, Final, NamedTuple

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from replay.scenario import NO_FAULTS
from replay.scenario.day import Day, logged
from replay.scenario.message import Message
from replay.scenario.plan import plan_day
from replay.scenario.setting import Setting
from replay.scenario.street import Street
from replay.scenario.world import first_state, walk
from replay.scenario.writers import aggregator, entsoe, exi, mscons, pilot, tariff
from replay.scenario.writers.captures import Capture, file_of
from replay.scenario.writers.mbus import LOG as MBUS_LOG
from replay.scenario.writers.modbus import DUMPS
from replay.scenario.writers.point_lists import LINKS
from schemas.identifiers import make_malo
from schemas.interfaces import INTERFACES, format_of
from schemas.time import MINUTE_US, SLOT_US, parse_time
from schemas.wire import iec104, mbus, modbus, taf7
from schemas.wire.control import encode_box, encode_measure
from schemas.wire.iso15118 import frame
from schemas.wire.iso15118.codec import ISO_2, ISO_20_DC, SAP, CodecUnavailable
from streams.exi import codec

DAY: Final = date(2026, 3, 29)
SEED_LIMIT_BYTES: Final = 16 * 1024
"""Longer messages are left out: they take long and hold nothing that shorter ones do not."""

_NOON_US: Final = parse_time("2026-03-29T12:00:00Z")
_MELO: Final = "DE0005621204300000000000000000007"
_DEVICE: Final = "0A01454D480000B71B00"
_SMGW: Final = "EPPC0210000001"
_ORDER: Final = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
_LINES: Final = 24
"""Lines of a log that make one seed."""

_CABLES: Final = 9


class Seed(NamedTuple):
    """Bytes as they come on an interface, in a file or as one message."""

    interface: str
    content: bytes


@cache
def seeds_of(name: str) -> tuple[Seed, ...]:
    """Good messages of a format, the same ones each time.

    Raises:
        KeyError: nobody wrote any for this format.
    """
    return tuple(seed for seed in _SEEDS[name]() if len(seed.content) <= SEED_LIMIT_BYTES)


def formats() -> tuple[str, ...]:
    """Every format of the catalogue."""
    return tuple(sorted({name for entry in INTERFACES.values() for name in entry.formats}))


def interfaces_of(name: str) -> tuple[str, ...]:
    """The interfaces on which a format is read."""
    return tuple(number for number, entry in INTERFACES.items() if name in entry.formats)


@cache
def _day() -> Day:
    """A day of two houses, told to its end so that its documents are complete."""
    return Day(DAY, Setting(2, 1, 900, 900, NO_FAULTS, iso15118_cars=0))


@cache
def _said() -> tuple[tuple[str, str, bytes], ...]:
    """Log, interface and line of every live message of the day."""
    return tuple(_lines(_day()))


def _lines(day: Day) -> Iterator[tuple[str, str, bytes]]:
    return ((message.log or message.interface, message.interface, logged(message)) for message in day.live())


def _street(*logs: str) -> list[Seed]:
    """These logs, each named by its interface where that has no other."""
    return [seed for log in logs for seed in _pieces([(number, line) for name, number, line in _said() if name == log])]


@cache
def _on_cables() -> tuple[Message, ...]:
    """What is said over the cables of the first wallboxes, direct current too; nothing where there is no codec."""
    street = Street(1, _CABLES)
    plan = plan_day(street, DAY)
    said: list[Message] = []
    with suppress(CodecUnavailable):
        speakers = (exi.Cars(street, plan, _CABLES), pilot.Pilots(street, plan))
        for quarter in walk(street, plan, first_state(street)):
            for speaker in speakers:
                said += speaker.messages(quarter)
    return tuple(said)


def _cables(log: str) -> list[Seed]:
    """What wallboxes log of their cables, in EXI or by the pilot."""
    found = [message for message in _on_cables() if (message.log or message.interface) == log]
    return _pieces([(message.interface, logged(message)) for message in found])


def _captures() -> Iterator[Seed]:
    """The beginning of every recording of a cable."""
    logs: dict[str, list[Message]] = {}
    for message in _on_cables():
        logs.setdefault(message.log, []).append(message)
    for log, messages in logs.items():
        if file_of(log):
            yield Seed(exi.INTERFACE, b"".join(map(Capture(log), messages[:_LINES])))


def _pieces(lines: Sequence[tuple[str, bytes]]) -> list[Seed]:
    """A log, of whose lines the interface is told too, cut into pieces of some lines spread over the day."""
    step = max(_LINES, len(lines) // 12)
    pieces = [lines[at : at + _LINES] for at in range(0, len(lines), step)]
    pieces += [[line] for line in lines[:: max(1, len(lines) // 8)]]
    return [Seed(piece[0][0], b"".join(line for _, line in piece)) for piece in pieces]


def _papers(*writers: Callable[..., Iterable[object]]) -> list[Seed]:
    """The documents of the day."""
    _said()
    return [
        Seed(document.interface, document.raw)  # type: ignore[attr-defined]
        for write in writers
        for document in write(_day().truth)
    ]


def _taf7() -> Iterator[Seed]:
    for codes in (("1-0:1.8.0", "1-0:2.8.0"), ("1-0:1.8.0",)):
        registers = [
            taf7.register_of(
                obis=code,
                device=_DEVICE,
                values=[[_NOON_US + slot * SLOT_US, 240_000 + slot * 7, 0, None] for slot in range(8)],
                scaler=-1,
            )
            for code in codes
        ]
        point = taf7.readings_of(
            melo=_MELO, smgw=_SMGW, customer="c-1", invoicing_party="9900987654329", tariff="TAF7", registers=registers
        )
        yield from (Seed(number, taf7.encode_readings([point])) for number in ("16", "18"))


def _han_json() -> Iterator[Seed]:
    period = {"Begin": "2026-01-01T00:00:00+01:00", "End": "2027-01-01T00:00:00+01:00"}
    parties = {"SupplierId": "9900987654329", "ConsumerId": "c-1"}
    contract = {"TafId": "7", "TafName": "TAF 7", "Meters": [_DEVICE], "BillingPeriods": [period], **parties, **period}
    register = {"MeterId": _DEVICE, "ObisCode": "0100010800ff", "Uom": "72", "Scaler": "-1", "OMLInitValue": "240000"}
    config = {"UsagePointId": _MELO, "TariffId": "Taf7", "TariffName": "TAF 7", "SmgwId": _SMGW}
    configured = {"XmlConfig": {**config, "MeterReadingConfigs": [register]}}
    yield Seed("16", orjson.dumps({"DeviceId": _SMGW, "User": "u", "Contracts": [contract], **configured}))
    yield Seed("18", orjson.dumps({"DeviceId": _SMGW, "Contracts": [contract]}))


def _iec104() -> Iterator[Seed]:
    for number in ("21", "25"):
        call = iec104.encode_command(63, 7, 2001, Decimal("-5.5"), time_us=_NOON_US)
        values = [(2002, Decimal("-5.4")), (1001, Decimal("49.98"))]
        measured = iec104.encode_measurement(36, 7, values, time_us=_NOON_US)
        counted = iec104.encode_measurement(11, 7, [(place, place) for place in range(1, 9)], sequence=True)
        stream = iec104.encode_setup("STARTDT act") + call + measured + counted
        yield Seed(number, stream)
        yield Seed(number, stream.hex().encode())
        yield Seed(number, b"\n".join(b"2026-03-29T12:00:00Z vnb-1 " + raw.hex().encode() for raw in (call, measured)))
        yield Seed(number, capture_of(stream, 2404))


def _modbus() -> Iterator[Seed]:
    models: list[tuple[int, dict[str, Any]]] = [
        (1, {"Mn": "Maker", "Md": "Hybrid", "Vr": "1", "SN": "SN-1"}),
        (103, {"W": 3450, "W_SF": 1, "WH": 1_234_500, "WH_SF": 2, "St": "MPPT"}),
        (802, {"SoC": 55, "W": 100, "ChaSt": "CHARGING"}),
        (714, {"NPrt": 2, "Prt": [{"PrtTyp": "EV", "DCW": 10}, {"PrtTyp": "PV", "DCW": 20}]}),
    ]
    registers = modbus.encode_registers(models)
    asked = b"".join(
        modbus.encode_read(number, 1, 40000 + at, len(registers[at : at + 100]))
        + modbus.encode_response(number, 1, registers[at : at + 100])
        for number, at in enumerate(range(0, len(registers), 100))
    )
    wrote = modbus.encode_write(90, 1, 40100, [1, 2]) + modbus.encode_written(90, 1, 40100, [1, 2])
    table = "unit,address,value\n" + "".join(f"1,{40000 + at},{value}\n" for at, value in enumerate(registers[:200]))
    for number in ("8", "9"):
        yield Seed(number, modbus.encode_dump(registers, time="2026-03-29T12:00:00Z"))
        yield Seed(number, asked + wrote + modbus.encode_exception(91, 1, 3, 2))
        yield Seed(number, table.encode())
        yield Seed(number, capture_of(asked, 502))


def _mbus() -> Iterator[Seed]:
    who = {"address": 5, "meter": "1NZR0130100608", "number": "30100608", "manufacturer": "NZR", "version": 1}
    said = {"quantity": "energy", "unit": "Wh", "exponent": 0, "coding": "int32", "block": "03", "value": 1274}
    power = {"quantity": "power", "unit": "W", "exponent": 0, "coding": "int16", "block": "2b", "value": -100}
    frame = mbus.encode_frame({**who, "medium": 2, "access": 1, "status": 0, "records": [said, power]})
    yield Seed("15", frame)
    yield Seed("15", b"2026-03-29T12:00:00Z smgw-1 " + frame.hex().encode())


def _ocmf() -> Iterator[Seed]:
    key = ec.derive_private_key(4711, ec.SECP256R1())
    reading = '{"TM":"2026-03-29T20:00:00,000+0200 S","TX":"%s","RV":%s,"RI":"1-0:1.8.0","RU":"kWh","ST":"G"}'
    readings = ",".join(reading % said for said in (("B", "100.000"), ("E", "107.250")))
    text = f'{{"FV":"1.0","GS":"GW1","MS":"1EMH0012345678","PG":"T1","RD":[{readings}]}}'
    signed = key.sign(text.encode(), ec.ECDSA(hashes.SHA256(), deterministic_signing=True)).hex()
    record = f'OCMF|{text}|{{"SD":"{signed}"}}'
    container = f'<values><value><signedData format="OCMF" encoding="plain">{record}</signedData></value></values>'
    for number in interfaces_of("ocmf"):
        yield Seed(number, record.encode())
        yield Seed(number, f'<?xml version="1.0"?>{container}'.encode())


def _ocpi() -> Iterator[Seed]:
    token = {"country_code": "DE", "party_id": "8AA", "uid": "1", "type": "RFID", "contract_id": "DE8AA0012345670"}
    party = {"country_code": "DE", "party_id": "GGS", "last_updated": "2026-03-29T19:00:00Z"}
    start = {"start_date_time": "2026-03-29T18:00:00Z", "cdr_token": token, "auth_method": "WHITELIST"}
    period = {"start_date_time": "2026-03-29T18:00:00Z", "dimensions": [{"type": "ENERGY_EXPORT", "volume": 7.75}]}
    place = {"id": "LOC1", "evse_uid": "GS-1", "evse_id": "DE*GGS*E1", "connector_id": "1"}
    session = {"id": "S-1", "kwh": -3.25, "location_id": "LOC1", "evse_uid": "GS-1", "connector_id": "1"}
    record = {"id": "C-1", "session_id": "S-1", "end_date_time": "2026-03-29T20:00:00Z", "cdr_location": place}
    counted = {"charging_periods": [period], "total_cost": {"excl_vat": 1.0}, "total_energy": -3.0, "total_time": 2}
    evse = {
        "uid": "GS-1",
        "evse_id": "DE*GGS*E1",
        "status": "CHARGING",
        "connectors": [{"id": "1", "last_updated": "2026-03-29T19:00:00Z"}],
        **party,
    }
    location = {"id": "LOC1", "publish": True, "coordinates": {"latitude": "52.5", "longitude": "13.4"}}
    objects = (
        {**party, **start, **session, "currency": "EUR", "status": "ACTIVE"},
        {**party, **start, **record, **counted, "currency": "EUR"},
        {**party, **location, "evses": [evse]},
    )
    yield from (Seed("E1", orjson.dumps(found)) for found in objects)


def _iso15118() -> Iterator[Seed]:
    """A few messages of each standard, decoded and, where there is a codec, as EXI behind its negotiation."""
    header = {"Header": {"SessionID": "0123456789ABCDEF", "TimeStamp": _NOON_US // 1_000_000}}
    loop = {
        "DisplayParameters": {"PresentSOC": 41, "TargetSOC": 80},
        "MeterInfoRequested": False,
        "EVPresentVoltage": {"Exponent": -1, "Value": 4005},
        "BPT_Scheduled_DC_CLReqControlMode": {
            "EVTargetCurrent": {"Exponent": 0, "Value": -25},
            "EVTargetVoltage": {"Exponent": 0, "Value": 400},
        },
    }
    setup = {"SessionSetupReq": {"EVCCID": "644D700102C8"}}
    offers = [
        {"ProtocolNamespace": namespace, "VersionNumberMajor": 2, "VersionNumberMinor": 0, "SchemaID": n, "Priority": n}
        for n, namespace in enumerate((ISO_20_DC, ISO_2), 1)
    ]
    said = (
        ({"supportedAppProtocolReq": {"AppProtocol": offers}}, SAP, 0x8001),
        ({"supportedAppProtocolRes": {"ResponseCode": "OK_SuccessfulNegotiation", "SchemaID": 2}}, SAP, 0x8001),
        ({"V2G_Message": {"Header": {"SessionID": "0123456789ABCDEF"}, "Body": setup}}, ISO_2, 0x8001),
        ({"DC_ChargeLoopReq": {**header, **loop}}, ISO_20_DC, 0x8004),
    )
    texts = [orjson.dumps(message) for message, _, _ in said]
    yield Seed("1", b"\n".join(texts))
    yield from (Seed("1", text) for text in texts)
    yield Seed("1", b"\n".join(orjson.dumps({name: {**header, **body}}) for name, body in _session_of_a_car()))
    with suppress(CodecUnavailable):
        frames = [frame(kind, codec().encode(orjson.dumps(message), schema)) for message, schema, kind in said]
        yield Seed("1", b"".join(frames))
        yield Seed("1", b"".join(frames[:3]).hex().encode())
        yield Seed("1", capture_of(b"".join(frames), 15118))


def _session_of_a_car() -> Iterator[tuple[str, dict[str, Any]]]:
    """The messages of ISO 15118-20 that others depend on, and those with schedules and registers."""
    watts = {"Exponent": 1, "Value": -350}
    steps = {"PowerScheduleEntry": [{"Duration": 900, "Power": watts}]}
    schedule = {"TimeAnchor": _NOON_US // 1_000_000, "PowerScheduleEntries": steps}
    offer = {"ScheduleTupleID": 1, "DischargingSchedule": {"PowerSchedule": schedule}}
    profile = {
        "TimeAnchor": _NOON_US // 1_000_000,
        "EVPowerProfileEntries": {"EVPowerProfileEntry": [{"Duration": 900, "Power": watts}]},
        "Scheduled_EVPPTControlMode": {"SelectedScheduleTupleID": 1},
    }
    mode = {"ParameterSetID": 1, "Parameter": [{"Name": "ControlMode", "intValue": 2}]}
    chosen = {"ServiceID": 6, "ParameterSetID": 1}
    yield "SessionSetupReq", {"EVCCID": "WMIV1"}
    yield "SessionSetupRes", {"ResponseCode": "OK", "EVSEID": "DE*GGS*E1"}
    yield "ServiceDetailRes", {"ServiceID": 6, "ServiceParameterList": {"ParameterSet": [mode]}}
    yield "ServiceSelectionReq", {"SelectedEnergyTransferService": chosen}
    yield "AC_ChargeParameterDiscoveryRes", {"BPT_AC_CPDResEnergyTransferMode": {"EVSEMaximumDischargePower": watts}}
    yield "ScheduleExchangeRes", {"Scheduled_SEResControlMode": {"ScheduleTuple": [offer]}}
    yield "PowerDeliveryReq", {"ChargeProgress": "Start", "EVPowerProfile": profile}
    yield "AC_ChargeLoopReq", {"DisplayParameters": {"PresentSOC": 41}, "DepartureTime": 3600}
    yield "AC_ChargeLoopRes", {"EVSETargetFrequency": watts, "M": {"EVSEPresentActivePower": watts}}
    yield "AC_ChargeLoopRes", {"MeterInfo": {"MeterID": "M1", "ChargedEnergyReadingWh": 7000}}
    yield "SessionStopReq", {"ChargingSession": "Pause"}


def _pilot() -> Iterator[Seed]:
    rows = ("A,100,12", "C2,26.7,6.1", "B,5,", "E,,0")
    trace = [f"2026-03-29T12:00:0{second}Z,BOX1,{row}" for second, row in enumerate(rows)]
    yield Seed("1", "\n".join(("time,evse,state,duty_cycle,voltage", *trace)).encode())
    yield Seed("1", b'{"time":"2026-03-29T12:00:00Z","evse":"BOX1","state":"C2","duty_cycle":50,"voltage":6}')


def _locations() -> Iterator[Seed]:
    head = "valid_from,valid_until,melo,malo,meters,evses,supplier,balance_group"
    place = f"{_MELO},{make_malo('4100000007')},1EMH0012000007,GS-7/1=d:_n:X GS-7/2,9900987654329,11XGEGENSTROM-1W"
    yield Seed("33", f"{head}\n2026-01-01T00:00:00+01:00,,{place}\n".encode())


def _control() -> Iterator[Seed]:
    limit = {"limit_w": 4200, "from_us": _NOON_US, "until_us": _NOON_US + 60 * MINUTE_US, "created_us": _NOON_US}
    order = {
        "operation": "konfiguration",
        "location": "C0000000011",
        "kind": "sr",
        "transaction": _ORDER,
        **dict.fromkeys(("initial_transaction", "reference", "state", "reason", "partner", "status")),
        **limit,
    }
    answer = {name: value for name, value in order.items() if name not in limit} | {"created_us": _NOON_US}
    answer |= {"operation": "positiveAntwort", "state": "succeeded", "reference": _ORDER}
    answer["transaction"] = _ORDER.replace("f", "a", 1)
    box = {"box": "CB-7", "created_us": _NOON_US}
    command = {"operation": "command", "reference": _ORDER, "reason": "section-14a", "location": "C0000000011", **limit}
    for number in ("20", "29"):
        yield Seed(number, encode_measure(order))
        yield Seed(number, encode_measure(order) + encode_measure(answer))
    for number in ("9", "10"):
        yield Seed(number, encode_box(command | box))
        yield Seed(number, encode_box(box | {"operation": "tunnel", "smgw": _SMGW, "state": "opened"}))
        yield Seed(number, encode_box(box | {"operation": "status", "state": "limited", "limit_w": 4200}))


_SEEDS: Final[dict[str, Callable[[], Iterable[Seed]]]] = {
    "aggregator": lambda: _papers(aggregator.documents),
    "control": _control,
    "eebus": lambda: _street("3", "9"),
    "entsoe": lambda: _papers(entsoe.documents),
    "han_json": _han_json,
    "iec104": lambda: [*_iec104(), *_street(*LINKS)[::4]],
    "iec61851": lambda: [*_pilot(), *_cables(pilot.LOG)],
    "iso15118": lambda: [*_iso15118(), *_cables("1"), *_captures()],
    "master_data": _locations,
    "mbus": lambda: [*_mbus(), *(seed for seed in _street(MBUS_LOG) if is_read("mbus", seed))],
    "modbus": lambda: [*_modbus(), *_street("8", DUMPS)],
    "mscons": lambda: _papers(mscons.documents),
    "ocmf": _ocmf,
    "ocpi": lambda: [*_ocpi(), *_street("E1")],
    "ocpp": lambda: _street("4", "5", "14"),
    "sml": lambda: _street("15", "47"),
    "taf7": _taf7,
    "tariff": lambda: _papers(tariff.documents),
}


def capture_of(content: bytes, port: int) -> bytes:
    """A capture (pcap) in which one end says this to a port of the other, in segments of 200 bytes."""
    packets = [bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")]
    for at in range(0, len(content), 200):
        said = content[at : at + 200]
        tcp = (50_000).to_bytes(2) + port.to_bytes(2) + (1 + at).to_bytes(4) + bytes(4) + b"\x50\x18\xff\xff" + bytes(4)
        length = (40 + len(said)).to_bytes(2)
        ip = b"\x45\x00" + length + bytes(4) + b"\x40\x06" + bytes(2) + bytes((10, 0, 0, 1)) + bytes((10, 0, 0, 2))
        packet = bytes(12) + b"\x08\x00" + ip + tcp + said
        stamp = (_NOON_US // 1_000_000).to_bytes(4, "little") + at.to_bytes(4, "little")
        packets.append(stamp + 2 * len(packet).to_bytes(4, "little") + packet)
    return b"".join(packets)


def is_read(name: str, seed: Seed) -> bool:
    """Whether the format knows its own seed."""
    return format_of(name).recognise(seed.content[: 64 * 1024], "seed")
