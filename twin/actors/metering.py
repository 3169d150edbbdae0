"""Meters, gateways, and the locations of metering and market."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.facts import Scalar
from twin.actors.model import ANY_UNIT, MEASURED, Refers, Twin, anything, carrying, instant, quantity, text
from twin.actors.values import Numbers, at_most
from twin.amounts import Number

_SML, _MBUS = carrying("sml"), carrying("mbus")
_TAF7: Final = carrying("taf7")
_HAN: Final = carrying("han_json")
_MSCONS: Final = carrying("mscons")
_BY_MSB, _TO_SUPPLIER = "19 32", "32"
"""Of those, where the metering point operator speaks, and where to the supplier."""
_MASTER: Final = carrying("master_data")
_BOX: Final = carrying("control")
_LIVE: Final = carrying("sml", "mbus")
_ALL: Final = carrying("sml", "mbus", "taf7")

_TIMES: Final = ("s", "min", "h", "d")
_MEGAWATT: Final = at_most(10**6)
_POSITIVE: Final = Numbers(0)


@dataclass(frozen=True, kw_only=True)
class Meter(Twin):
    """A meter by its nameplate (``meter:1EMH0012345678``); its energy registers are readings, not attributes."""

    KIND = "meter"

    melo: str | None = text(
        f"{_TAF7} {_HAN} {_MSCONS} {_MASTER}",
        "metering location it measures, or stands behind",
        optional=True,
        refers=Refers("melo"),
    )
    power: Number | None = quantity(
        "W", _ALL, "active power, import positive", _MEGAWATT, tolerance=MEASURED._replace(distance=10)
    )
    powers: Mapping[str, Number] = quantity(
        ("W", "J/h"), _ALL, "power of a phase, direction, tariff or device", name="power_*"
    )
    power_factor: Number | None = quantity("", _SML, "cosine of the angle", at_most(1))
    voltage: Number | None = quantity("V", _MBUS, "voltage", _POSITIVE)
    voltages: Mapping[str, Number] = quantity("V", _ALL, "voltage of a phase", name="voltage_*")
    current: Number | None = quantity("A", _MBUS, "current")
    currents: Mapping[str, Number] = quantity("A", _ALL, "current of a phase, of the neutral", name="current_*")
    frequency: Number | None = quantity("Hz", _ALL, "grid frequency", Numbers(0, 100))
    frequencies: Mapping[str, Number] = quantity("Hz", _MBUS, "frequency of a device or function", name="frequency_*")
    angles: Mapping[str, Number] = quantity(
        "°", _ALL, "angle between voltages, or of current to voltage", name="angle*"
    )
    energies: Mapping[str, Number] = quantity(
        ("Wh", "J"), _MBUS, "energy of a storage, device or function", name="energy*"
    )
    reactive: Mapping[str, Number] = quantity(("var", "varh"), _MBUS, "reactive power or energy", name="reactive_*")
    apparent: Mapping[str, Number] = quantity(("VA", "VAh"), _MBUS, "apparent power or energy", name="apparent_*")
    counted: Mapping[str, Scalar] = anything(_MBUS, "a number without unit", name="dimensionless*", units="")
    volume: Mapping[str, Number] = quantity(
        ("m³", "m³/h", "m³/min", "m³/s"), _MBUS, "volume or its flow", name="volume*"
    )
    mass: Mapping[str, Number] = quantity(("kg", "kg/h"), _MBUS, "mass or its flow", name="mass*")
    temperature: Mapping[str, Number] = quantity(
        ("°C", "K"), _MBUS, "a temperature or difference", name="*temperature*"
    )
    pressure: Mapping[str, Number] = quantity("bar", _MBUS, "pressure", name="pressure*")
    averaging: Mapping[str, Number] = quantity(_TIMES, _MBUS, "over how long values are averaged", name="*_duration*")
    working: Mapping[str, Number] = quantity(_TIMES, _MBUS, "how long it is on or works", name="o*_time*")
    clock: Mapping[str, Scalar] = anything(_MBUS, "a date of the meter, without a zone", name="date*", units="")
    clock_time: Mapping[str, Scalar] = anything(_MBUS, "a time of the meter, without a zone", name="time*", units="")
    digital: Mapping[str, Scalar] = anything(_MBUS, "state of inputs or outputs", name="digital_*", units="")
    errors: Mapping[str, Scalar] = anything(_MBUS, "flags of errors and their mask", name="error_*", units="")
    counters: Mapping[str, Scalar] = anything(_MBUS, "how often it was reset or read out", name="*_counter*", units="")
    numbers: Mapping[str, Scalar] = anything(_MBUS, "number of fabrication", name="fabrication_number*", units="")
    identity: Mapping[str, Scalar] = anything(_MBUS, "identification", name="identification*", units="")
    makers: Mapping[str, Scalar] = anything(_MBUS, "maker of a device", name="manufacturer_*", units="")
    customer: Mapping[str, Scalar] = anything(_MBUS, "customer and his location", name="customer*", units="")
    versions: Mapping[str, Scalar] = anything(_MBUS, "version of what runs in it", name="*ware*", units="")
    model: Mapping[str, Scalar] = anything(_MBUS, "model or version of it", name="model*", units="")
    parameters: Mapping[str, Scalar] = anything(_MBUS, "set of parameters", name="parameter_set*", units="")
    heat_cost: Mapping[str, Scalar] = anything(_MBUS, "units of a heat cost allocator", name="heat_cost*", units="")
    unnamed: Mapping[str, Scalar] = anything(_MBUS, "a quantity whose unit is a text of its maker", name="text_unit*")
    any: Mapping[str, Scalar] = anything(_MBUS, "every quantity at once, of which the meter says this", name="any*")
    register: Mapping[str, Scalar] = anything(
        _ALL, "another register, latest value, by its OBIS code", name="register/*", hint="as the meter says"
    )
    register_status_ptb: Mapping[str, Scalar] = quantity(
        "", _TAF7, "status of that value (VDE AR 2418-6, statusPTB)", Numbers(0, 4), name="*/status_ptb"
    )
    register_status_fnn: Mapping[str, Scalar] = text(
        _TAF7, "status word of that value, in names", name="*/status_fnn", hint="none, or names"
    )
    status: str | None = text(_LIVE, "status of the meter, in names", hint="none, or names")
    attention: str | None = text(_SML, "number of the latest attention response")
    meter_id: str | None = text(_LIVE, "identity it gives beside its nameplate")
    manufacturer: str | None = text(_LIVE, "maker, where it is not that of the nameplate")
    public_key: str | None = text(_SML, "key it signs with, in hex")
    firmware: str | None = anything(_LIVE, "firmware", name="firmware", units="")
    firmware_checksum: str | None = text(_LIVE, "check sum of the firmware")


@dataclass(frozen=True, kw_only=True)
class MeteringLocation(Twin):
    """A metering location (``melo:DE...``): where energy is measured (VDE-AR-N 4400)."""

    KIND = "melo"

    meters: str | None = text(
        f"{_TAF7} {_HAN} {_MASTER}", "its meters", optional=True, refers=Refers("meter", several=True)
    )
    meter: str | None = text(_MSCONS, "the meter a market message names", refers=Refers("meter", complete=False))
    smgw: str | None = text(f"{_TAF7} {_HAN} {_MASTER}", "its gateway", optional=True, refers=Refers("smgw"))
    malo: str | None = text(_MASTER, "market location of what is drawn", optional=True, refers=Refers("malo"))
    feed_in_malo: str | None = text(_MASTER, "market location of what is fed in", optional=True, refers=Refers("malo"))
    nelo: str | None = text(_MASTER, "grid location behind which it is limited", optional=True, refers=Refers("nelo"))
    resources: str | None = text(_MASTER, "controllable resources", optional=True, refers=Refers("sr", several=True))
    submeters: str | None = text(_MASTER, "meters behind its own", optional=True, refers=Refers("meter", several=True))
    assets: str | None = text(
        _MASTER, "its PV, batteries, heat pumps", optional=True, refers=Refers("asset", several=True)
    )
    loads: str | None = text(
        _MASTER,
        "its controllable loads under section 14a EnWG with their ratings in W",
        hint="wallbox=11000 heat-pump=9000",
        optional=True,
    )
    evses: str | None = text(_MASTER, "its wallboxes", optional=True, refers=Refers("evse", several=True))
    hems: str | None = text(_MASTER, "its energy manager", optional=True, refers=Refers("hems"))
    control_box: str | None = text(_MASTER, "its control box", optional=True, refers=Refers("control-box"))
    customer: str | None = text(_TAF7, "its customer, as the gateway knows him")
    invoicing_party: str | None = text(_TAF7, "who bills", refers=Refers("supplier"))
    tariff: str | None = text(_TAF7, "tariff under which its values were sent")
    certificate: str | int | None = anything(
        _TAF7, "certificate of the gateway that signed", name="certificate", units=""
    )
    last_log_record: Number | None = quantity("", _TAF7, "latest record of the gateway's log", _POSITIVE)
    msb: str | None = text(
        f"{_BY_MSB} {_MASTER}", "who operates the metering point", optional=True, refers=Refers("msb")
    )
    recipient: str | None = text(_TO_SUPPLIER, "who gets its values", refers=Refers("supplier"))
    last_document: str | None = text(_MSCONS, "latest market message about it", window_us=0)
    register: Mapping[str, Scalar] = quantity(
        ANY_UNIT, _MSCONS, "a register that is no active energy, latest value", name="register/*"
    )
    contract: Mapping[str, Scalar] = text(_HAN, "name of the evaluation under a tariff use case", name="taf*")
    contract_meters: Mapping[str, Scalar] = text(_HAN, "meters it evaluates", name="taf*/meters")
    contract_supplier: Mapping[str, Scalar] = text(_HAN, "who supplies under it", name="taf*/supplier")
    contract_consumer: Mapping[str, Scalar] = text(_HAN, "who consumes under it", name="taf*/consumer")
    contract_end: Mapping[str, Scalar] = instant(_HAN, "when it ends", name="taf*/end")
    billing_begin: Mapping[str, Scalar] = instant(_HAN, "when its billing period began", name="taf*/billing_begin")
    billing_end: Mapping[str, Scalar] = instant(_HAN, "when its billing period ends", name="taf*/billing_end")


@dataclass(frozen=True, kw_only=True)
class MarketLocation(Twin):
    """A market location (``malo:41373559241``): where energy is supplied or fed in, and billed."""

    KIND = "malo"

    melo: str | None = text(_MASTER, "where it is measured", optional=True, refers=Refers("melo"))
    supplier: str | None = text(_MASTER, "who supplies it", optional=True, refers=Refers("supplier"))
    balance_group: str | None = text(_MASTER, "EIC of its balance group", optional=True, refers=Refers("balance-group"))
    aggregator: str | None = text(
        _MASTER, "who markets its flexibility", optional=True, refers=Refers("technical-aggregator")
    )
    msb: str | None = text(_BY_MSB, "who operates the metering point", refers=Refers("msb"))
    recipient: str | None = text(_TO_SUPPLIER, "who gets its values", refers=Refers("supplier"))
    meter: str | None = text(_MSCONS, "the meter a market message names", refers=Refers("meter", complete=False))
    last_document: str | None = text(_MSCONS, "latest market message about it", window_us=0)
    register: Mapping[str, Scalar] = quantity(
        ANY_UNIT, _MSCONS, "a register that is no active energy, latest value", name="register/*"
    )


@dataclass(frozen=True, kw_only=True)
class Gateway(Twin):
    """A smart meter gateway (``smgw:EPPC0210000000``)."""

    KIND = "smgw"

    melo: Mapping[str, Scalar] = text(
        f"{_TAF7} {_HAN} {_MASTER}", "a metering location it reads", name="melo/*", optional=True, refers=Refers("melo")
    )
    control_box: Mapping[str, Scalar] = text(
        _BOX, "a control box behind its tunnel", name="control-box/*", refers=Refers("control-box")
    )
    manufacturer: str | None = text(_TAF7, "who made it")
    firmware: str | None = text(f"{_TAF7} {_HAN}", "its firmware")
    cls_tunnel: str | None = text(_BOX, "its tunnel to the control box", hint="opened, closed")
    contract: Mapping[str, Scalar] = text(
        _HAN, "an evaluation that names no metering location, and what belongs to it", name="taf*", hint="text or time"
    )


@dataclass(frozen=True, kw_only=True)
class MeteringOperator(Twin):
    """A metering point operator or another sender of market messages (``msb:<BDEW code>``)."""

    KIND = "msb"

    last_document: str | None = text(_MSCONS, "latest market message it sent", window_us=0)
    document: Mapping[str, Scalar] = text(
        _MSCONS, "a message of it that was withdrawn", name="document/*", hint="cancelled by <number>"
    )
