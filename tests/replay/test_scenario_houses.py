"""What is said of one house at one moment is the same on all interfaces, for it is the same house."""

import csv
from collections import defaultdict
from datetime import date

import pytest

from replay.scenario import NO_FAULTS, Setting, messages, write_day
from replay.scenario.names import names_of
from replay.scenario.street import Street
from schemas.facts import Facts
from schemas.time import SLOT_US, parse_time
from streams.reader import read
from twin.observe import observe

DAY = date(2026, 3, 28)
"""The car of site 0 stays at home: charged and discharged."""
SITE = {
    "meter": "1EMH0012000000",
    "melo": f"DE00056212043{0:020d}",
    "station": "GS-00000/1",
    "submeter": "1NZR0130000000",
    "storage": "BAT-00000",
    "inverter": "PV-00000",
}
KNOWN_STEP_MWH = 1000


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("day")
    return out, write_day(DAY, out, sites=1, faults=NO_FAULTS)


@pytest.fixture(scope="module")
def facts(written):
    """By interface."""
    found = defaultdict(Facts)
    for path in written[1].files:
        for event in read(path, path.parent.name.lstrip("0")):
            observe(event, found[event.interface])
    return found


def registers(facts, interface, point):
    """By direction and edge of a quarter hour, with what was read just behind it."""
    return {
        (reading.direction, reading.time_us // SLOT_US * SLOT_US): reading.value_mwh
        for reading in facts[interface].readings
        if reading.point == point and reading.time_us % SLOT_US < 1_000_000
    }


def truth(written):
    with (written[0] / "truth" / "registers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {(row["point"], row["direction"], parse_time(row["time"])): int(row["value_mwh"]) for row in rows}


@pytest.mark.parametrize(
    ("interface", "name", "directions"),
    [("15", "submeter", 2), ("8", "storage", 2), ("8", "inverter", 1), ("15", "meter", 2), ("16", "melo", 2)],
)
def test_every_register_stands_where_it_really_stood(written, facts, interface, name, directions):
    found = registers(facts, interface, SITE[name])
    expected = {key[1:]: value for key, value in truth(written).items() if key[0] == SITE[name]}
    assert found == expected
    assert len(found) == 97 * directions


def test_what_the_car_drew_and_gave_is_the_same_in_ocpp_over_m_bus_and_over_modbus(facts):
    ocpp, mbus, modbus = (
        registers(facts, interface, SITE[name])
        for interface, name in (("4", "station"), ("15", "submeter"), ("8", "storage"))
    )
    assert mbus == modbus
    assert mbus.keys() == ocpp.keys()
    assert all(0 <= ocpp[key] - value < KNOWN_STEP_MWH for key, value in mbus.items())
    assert {len({mbus[key] for key in mbus if key[0] == direction}) > 10 for direction in ("import", "export")} == {
        True
    }


def test_the_meter_and_its_gateway_agree(facts):
    meter, gateway = registers(facts, "15", SITE["meter"]), registers(facts, "16", SITE["melo"])
    assert meter.keys() == gateway.keys()
    assert all(0 <= meter[key] - value < KNOWN_STEP_MWH for key, value in gateway.items())


def told(facts, interface, actor, attribute):
    """By edge of a quarter hour, with what was told just behind it."""
    return {
        seen.time_us // SLOT_US * SLOT_US: seen.value
        for seen in facts[interface].observations
        if (seen.actor, seen.attribute) == (actor, attribute) and seen.time_us % SLOT_US < 10_000_000
    }


def test_state_of_charge_and_power_are_the_same_over_modbus_m_bus_and_eebus(facts):
    storage, meter = f"asset:{SITE['storage']}", f"meter:{SITE['submeter']}"
    soc = told(facts, "8", storage, "soc")
    [vehicle] = {seen.actor for seen in facts["3"].observations if seen.attribute == "soc"}
    heard = told(facts, "3", vehicle, "soc")
    assert {key: soc[key] for key in heard} == heard
    assert len(heard) > 90
    power = told(facts, "8", storage, "power")
    assert power == told(facts, "15", meter, "power")
    assert {value > 0 for value in power.values()} == {value < 0 for value in power.values()} == {True, False}


def test_only_the_first_houses_speak_over_modbus_and_m_bus_and_none_in_the_mix_of_the_benchmark(written):
    street = Street(1, 10_000)
    speaking = [site for site in range(10_000) if names_of(street, site).inverter or names_of(street, site).submeter]
    assert (len(speaking), max(speaking)) == (12, 22)
    mix = {message.interface: message.raw for message in messages(DAY, Setting(1, faults=NO_FAULTS))}
    assert set(mix) == {"3", "4", "5", "14", "15", "47"}
    assert written[1].messages["8"] == 97 * 3
