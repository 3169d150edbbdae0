"""The models of the twins are held to what decoders and observers really say."""

import json
import re
from datetime import date
from pathlib import Path

import ocpp
import pytest

from cli import twins_page
from replay.fuzz.seeds import formats, seeds_of
from replay.scenario import write_day
from replay.scenario.writers.point_lists import point_lists
from schemas.facts import Facts
from schemas.interfaces import ACTORS, INTERFACES
from schemas.time import parse_time
from schemas.wire.mbus import units
from streams.reader import Rejected, read
from twin.actors import MODELS, declared
from twin.actors.charging import Evse
from twin.actors.model import Twin
from twin.actors.values import Words
from twin.observe import modbus, observe
from twin.observe.mbus import _UNTOLD

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
INTERFACES_OF_SAMPLES = {
    "eebus": ("3",),
    "entsoe": ("46",),
    "mbus": ("15",),
    "ocmf": ("4", "E1"),
    "ocpi": ("E1",),
    "ocpp": ("4",),
    "smgw": ("16", "18"),
    "sml": ("15", "47"),
    "iso15118": ("1",),
    "telematics": ("2",),
}
POINT_LISTS = {"iec104", "modbus"}
"""Formats whose points the operator's list names."""

METER = {said.attribute: said.unit for said in modbus.POINTS[201].values()}
SOME_TIME_US = parse_time("2026-03-29T12:00:00Z")
BEYOND_THE_CATALOGUE = {"melo", "malo", "sr", "nelo", "session", "spine", "interface"}
"""Kinds of actors that are no end of an interface: places, resources, sessions, and the interfaces themselves."""


def said_in(path, interface):
    """Interface, format and observation of everything a file says; what has no time is said at some time."""
    for outcome in read(path, interface):
        if not isinstance(outcome, Rejected):
            facts = Facts()
            observe(outcome if outcome.time_us is not None else outcome._replace(time_us=SOME_TIME_US), facts)
            yield from ((interface, outcome.format, seen) for seen in facts.observations)


def misfits(said):
    """What is undeclared, or does not fit its declaration, once each."""
    found = set()
    for interface, name, seen in said:
        entry = declared(seen.actor, seen.attribute, interface)
        is_listed = name in POINT_LISTS
        doubt = "undeclared" if entry is None or (entry.name == "*" and not is_listed) else ""
        doubt = doubt or entry.doubt(seen.value, seen.unit)
        if doubt:
            found.add(f"{seen.actor.partition(':')[0]} {seen.attribute} on {interface}: {doubt} ({seen.value!r})")
    return sorted(found)


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    out = tmp_path_factory.mktemp("day")
    written = write_day(date(2026, 3, 29), out, sites=12, sml_interval_s=900, ocpp_interval_s=900)
    return [said for path in written.files for said in said_in(path, path.parent.name.lstrip("0"))]


def test_everything_a_day_of_the_street_says_is_declared_with_its_unit_and_fits(day):
    assert misfits(day) == []
    assert {seen.actor.partition(":")[0] for _, _, seen in day} <= set(MODELS)
    assert len({(seen.actor.partition(":")[0], seen.attribute) for _, _, seen in day}) > 100


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples are not here")
@pytest.mark.parametrize("folder", INTERFACES_OF_SAMPLES)
def test_everything_the_samples_say_is_declared_with_its_unit_and_fits(folder):
    files = [path for path in sorted((SAMPLES / folder).iterdir()) if path.suffix != ".xsd"]
    said = [seen for path in files for number in INTERFACES_OF_SAMPLES[folder] for seen in said_in(path, number)]
    assert misfits(said) == []


@pytest.mark.parametrize("name", formats())
def test_everything_that_messages_of_a_format_say_is_declared_with_its_unit_and_fits(name, tmp_path, monkeypatch):
    monkeypatch.setenv("TWIN_HOME", str(tmp_path))
    (tmp_path / "points").mkdir()
    for document in point_lists():
        (tmp_path / "points" / document.name).write_bytes(document.raw)
    for place, seed in enumerate(seeds_of(name)):
        (tmp_path / f"{place}-{seed.interface}.{name}").write_bytes(seed.content)
    files = sorted(tmp_path.glob(f"*.{name}"))
    said = [seen for path in files for seen in said_in(path, path.stem.partition("-")[2])]
    assert said, "messages that say nothing prove nothing"
    assert misfits(said) == []


def test_every_point_of_sunspec_that_is_told_is_declared_with_its_unit():
    for prefix, points in (("", modbus.ATTRIBUTES), ("meter_", METER)):
        for attribute, unit in points.items():
            for interface in ("8", "9"):
                entry = declared("asset:SN-1", prefix + attribute, interface)
                assert entry is not None, attribute
                assert entry.name != "*", attribute
                assert unit in entry.units, attribute


def test_a_value_that_does_not_fit_is_noticed():
    entry = declared("evse:A/1", "ev_soc", "4")
    assert entry.doubt(101, "%") == "more than 100"
    assert entry.doubt(50, "") == "in no unit where % is usual"
    assert declared("evse:A/1", "charging_state", "4").doubt("Sleeping", "").startswith("none of Charging")
    assert declared("evse:A/1", "nonsense", "4") is None


def test_no_part_of_a_model_hides_what_another_declares():
    for model in MODELS.values():
        names = {entry.name for entry in model.attributes().values()}
        for part in model.__mro__:
            if issubclass(part, Twin):
                assert {entry.name for entry in part.attributes().values()} <= names, part


def test_every_quantity_that_an_m_bus_meter_can_tell_is_declared():
    told = {row.quantity: row.unit for row in (*units._PRIMARY, *units._FB, *units._FD)}
    told |= dict.fromkeys(units._DURATIONS.values(), "d")
    for quantity in set(told) - _UNTOLD:
        entry = declared("meter:1EMH0012345678", f"{quantity}_device1", "15")
        assert entry is not None, quantity
        assert told[quantity] in entry.units or "*" in entry.units, quantity


def test_every_kind_is_an_actor_of_the_catalogue_or_named_here():
    assert set(MODELS) - set(ACTORS) == BEYOND_THE_CATALOGUE


def test_every_interface_that_is_named_is_one_and_decodes_something():
    for kind, model in MODELS.items():
        for entry in model.attributes().values():
            assert entry.interfaces, f"{kind} {entry.name}"
            assert set(entry.interfaces) <= set(INTERFACES)
            assert kind == "interface" or all(INTERFACES[number].formats for number in entry.interfaces)


def test_the_words_of_ocpp_are_those_of_its_schemas():
    published = set()
    for file in Path(ocpp.__file__).parent.glob("v*/schemas/*.json"):
        for values in re.findall(r'"enum": *(\[[^\]]*\])', file.read_text("utf-8-sig")):
            published.update(json.loads(values))
    words = {
        word
        for entry in Evse.attributes().values()
        if isinstance(entry.allowed, Words) and entry.interfaces == ("4", "5", "14")
        for word in entry.allowed.words
    }
    assert len(words) > 100
    assert words - published == set()


def test_a_twin_is_made_of_what_was_said_and_keeps_what_nobody_declared():
    twin = Evse.of("evse:A/1", [("power", 11000), ("opev_limit_l1", 16), ("opev_limit_l2", 15), ("new", "thing")])
    assert (twin.power, twin.ev_soc) == (11000, None)
    assert twin.opev_limit == {"opev_limit_l1": 16, "opev_limit_l2": 15}
    assert twin.undeclared == {"new": "thing"}


def test_the_page_of_the_twins_is_current():
    page = Path(__file__).parents[2] / twins_page.PAGE
    assert page.read_text("utf-8") == twins_page.page(), "python -m cli.twins_page writes it anew"
