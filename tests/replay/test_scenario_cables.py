"""Interface 1: the cars of the street speak ISO 15118 over real EXI, and say what the world did."""

from collections import Counter, defaultdict
from datetime import date
from functools import cache
from itertools import pairwise
from types import SimpleNamespace

import pytest

from replay.scenario.message import Orderly
from replay.scenario.names import names_of
from replay.scenario.plan import LIMIT_MW, plan_day
from replay.scenario.stays import stays_of
from replay.scenario.street import Street
from replay.scenario.world import first_state, walk
from replay.scenario.writers.exi import INTERFACE, Cars, speaking
from replay.scenario.writers.exi_din import RECTIFIED_PERMILLE
from schemas.facts import Facts
from schemas.time import MINUTE_US, SECOND_US, SLOT_US, parse_time
from schemas.wire.contract import Frame
from streams.exi import is_available
from streams.reader import Conversations, read_frame
from twin.observe import observe

SPRING, AUTUMN, WORKDAY = date(2026, 3, 29), date(2026, 10, 25), date(2026, 7, 7)
OF_WALLBOX_ONLY_CHARGING, OF_DIRECT_CURRENT = 5, 8
DIN = "urn:din:70121:2012:MsgDef"

pytestmark = pytest.mark.skipif(not is_available(), reason="no EXI codec here")


@cache
def told(day, sites=12, cars=12):
    """Street and plan of a day, the messages on interface 1, their events and what each says."""
    street = Street(3, sites)
    plan = plan_day(street, day)
    speakers, orderly = Cars(street, plan, cars), Orderly(2 * MINUTE_US)
    messages = []
    for quarter in walk(street, plan, first_state(street)):
        messages += orderly.take(speakers.messages(quarter), quarter.start_us + SLOT_US)
    messages += orderly.rest()
    conversations = Conversations()
    said = []
    for message in messages:
        frame = Frame(message.raw, 0, message.time_us, station_of(message), {})
        event, facts = read_frame(frame, "iso15118", INTERFACE, conversations), Facts()
        observe(event, facts)
        said.append((event, facts))
    return SimpleNamespace(street=street, plan=plan), messages, said


def station_of(message):
    """Whose cable it is, whether packets of it are recorded or the wallbox logs."""
    return message.log.partition(" ")[2].partition(".")[0] or message.source


def of_car(said, site):
    return [(event, facts) for event, facts in said if event.source == f"GS-{site:05d}"]


def value_of(facts, attribute):
    return next((seen.value for seen in facts.observations if seen.attribute == attribute), None)


def begun_by(*exchanges):
    return [
        "SDPRequest",
        "SDPResponse",
        *(f"{name}{way}" for name in ("supportedAppProtocol", *exchanges) for way in ("Req", "Res")),
    ]


@pytest.mark.parametrize("day", [SPRING, AUTUMN, WORKDAY], ids=str)
def test_every_message_is_read_in_the_schema_that_was_negotiated_and_nothing_is_doubted(day):
    _, messages, said = told(day)
    assert len(said) == len(messages) > 1000
    assert [facts.rejects for _, facts in said if facts.rejects] == []
    assert not [event.type for event, _ in said if event.payload.get("assumed")]
    schemas = Counter(event.payload.get("schema", "sdp") for event, _ in said)
    assert {"urn:iso:std:iso:15118:-20:AC", "urn:iso:15118:2:2013:MsgDef", DIN, "sdp"} <= schemas.keys()


def test_the_same_seed_gives_the_same_octets():
    assert told.__wrapped__(WORKDAY)[1] == told(WORKDAY)[1]


def test_a_session_goes_from_the_search_for_the_wallbox_to_its_end():
    story, _, said = told(WORKDAY)
    site = next(site for site, stays in stays_of(story.street, story.plan).items() if stays.plug_us < story.plan.end_us)
    names = [event.payload["message"] for event, _ in of_car(said, site)]
    begins = [place for place, name in enumerate(names) if name == "SDPRequest"]
    assert len(begins) == 2, "once as the day begins, once when the car is back"
    assert names[: names.index("AC_ChargeLoopReq")] == begun_by(
        "SessionSetup",
        "AuthorizationSetup",
        "Authorization",
        "ServiceDiscovery",
        "ServiceDetail",
        "ServiceSelection",
        "AC_ChargeParameterDiscovery",
        "ScheduleExchange",
        "PowerDelivery",
    )
    first = names[: begins[1]]
    assert first[-4:] == ["PowerDeliveryReq", "PowerDeliveryRes", "SessionStopReq", "SessionStopRes"]
    assert "SessionStopReq" not in names[begins[1] :], "the night's session goes on"


def test_every_car_goes_around_its_charge_loop_at_every_edge_at_which_it_is_plugged_in():
    story, _, said = told(SPRING)
    stays = stays_of(story.street, story.plan)
    edges = range(story.plan.start_us, story.plan.end_us + 1, SLOT_US)
    for site in speaking(story.street, 12):
        read = {reading.time_us for _, facts in of_car(said, site) for reading in facts.readings}
        if site == OF_DIRECT_CURRENT:  # its standard has no meter
            samples = {sample.time_us for _, facts in of_car(said, site) for sample in facts.samples}
            read = {time_us // SLOT_US * SLOT_US for time_us in samples}
        assert {edge_us for edge_us in edges if stays[site].plugged(edge_us)} <= read


def test_cars_that_only_charge_speak_older_standards_and_at_a_plain_wallbox_of_ocpp_1_6_none():
    _, _, said = told(WORKDAY)
    parts = defaultdict(set)
    for event, _ in said:
        parts[event.source].add(event.type.split(".")[1])
    assert parts.pop(f"GS-{OF_WALLBOX_ONLY_CHARGING:05d}") == {"sdp", "sap", "2"}
    assert parts.pop(f"GS-{OF_DIRECT_CURRENT:05d}") == {"sdp", "sap", "din"}
    assert set(map(frozenset, parts.values())) == {frozenset({"sdp", "sap", "20"})}
    assert "GS-00002" not in parts


def test_limits_both_ways_are_those_of_wallbox_and_car():
    story, _, said = told(WORKDAY)
    for event, facts in said:
        if event.payload["message"].startswith("AC_ChargeParameterDiscovery"):
            site = int(event.source[-5:])
            discharge_w = int(story.street.discharge_mw[site]) // 1000
            assert value_of(facts, "max_charge_power") == 11_000
            assert value_of(facts, "max_discharge_power") == discharge_w > 4000


def test_a_session_says_whose_car_stands_at_which_wallbox():
    story, _, said = told(WORKDAY)
    together = {
        (event.payload["session"]["evcc"], event.payload["session"]["evse"])
        for event, _ in said
        if event.payload["message"] == "SessionSetupRes"
    }
    names = [names_of(story.street, site) for site in speaking(story.street, 12)]
    assert together == {
        (known.car_address, known.evse_number if known.site == OF_DIRECT_CURRENT else known.evse) for known in names
    }


def test_under_section_14a_the_wallbox_asks_for_no_more_than_the_limit():
    story, _, said = told(SPRING)
    plan = story.plan
    held = range(plan.minute_us(plan.limit_minutes.start), plan.minute_us(plan.limit_minutes.stop))
    targets = [
        value_of(facts, "charging_setpoint")
        for event, facts in said
        if event.time_us in held
        and story.street.household(int(event.source[-5:])).limited
        and event.payload["message"] == "AC_ChargeLoopRes"
    ]
    assert targets
    assert max(targets) <= LIMIT_MW // 1000
    currents = [
        value_of(facts, "max_charge_current")
        for event, facts in of_car(said, OF_WALLBOX_ONLY_CHARGING)
        if event.payload["message"] == "ChargingStatusRes" and event.time_us in held
    ]
    assert set(currents) <= {6}


def test_a_car_that_is_charged_with_direct_current_goes_the_whole_way_of_its_standard():
    _, _, said = told(WORKDAY)
    names = [event.payload["message"] for event, _ in of_car(said, OF_DIRECT_CURRENT)]
    assert names[: names.index("CurrentDemandReq")] == begun_by(
        "SessionSetup",
        "ServiceDiscovery",
        "ServicePaymentSelection",
        "ContractAuthentication",
        "ChargeParameterDiscovery",
        "CableCheck",
        "PreCharge",
        "PowerDelivery",
    )
    stopped = names.index("WeldingDetectionReq")
    assert names[stopped - 2 : stopped + 4] == [
        "PowerDeliveryReq",
        "PowerDeliveryRes",
        "WeldingDetectionReq",
        "WeldingDetectionRes",
        "SessionStopReq",
        "SessionStopRes",
    ]


def test_direct_current_is_what_the_rectifier_leaves_of_what_the_meter_counts():
    """Within what tenths of an ampere cut off, which at these voltages is less than 43 W."""
    story, _, said = told(WORKDAY)
    quarters = list(walk(story.street, story.plan, first_state(story.street)))
    drawing = 0
    for _, facts in of_car(said, OF_DIRECT_CURRENT):
        for sample in facts.samples:
            number, at_us = divmod(sample.time_us - story.plan.start_us, SLOT_US)
            if number == len(quarters):
                number, at_us = number - 1, SLOT_US - 1
            power_mw = quarters[number].drawn_mw(OF_DIRECT_CURRENT, at_us // MINUTE_US)
            assert 0 <= power_mw * RECTIFIED_PERMILLE // 1000 - sample.power_mw < 43_000
            drawing += sample.power_mw > 0
    assert drawing > 0


def test_the_battery_of_a_car_charged_with_direct_current_fills_and_its_voltage_rises():
    _, _, said = told(WORKDAY)
    shown = sorted(
        (value_of(car, "soc"), value_of(box, "voltage"))
        for (asked, car), (answered, box) in pairwise(of_car(said, OF_DIRECT_CURRENT))
        if asked.payload["message"] == "CurrentDemandReq" and answered.payload["message"] == "CurrentDemandRes"
    )
    assert shown[-1][0] > shown[0][0]
    assert all(before[1] <= after[1] for before, after in pairwise(shown))


def test_a_street_of_any_size_has_as_many_speaking_cars_as_were_asked_for():
    _, few, _ = told(WORKDAY, sites=40, cars=3)
    assert {station_of(message) for message in few} == {"GS-00000", "GS-00001", "GS-00003"}
    assert told(WORKDAY, sites=3, cars=0)[1] == []


def test_what_the_meter_shows_is_of_the_full_minute_before():
    _, messages, said = told(WORKDAY)
    for message, (_, facts) in zip(messages, said, strict=True):
        for reading in facts.readings:
            assert reading.time_us % MINUTE_US == 0
            assert 0 <= message.time_us - reading.time_us < MINUTE_US + SECOND_US
    assert parse_time("2026-07-06T22:00:00Z") in {r.time_us for _, facts in said for r in facts.readings}
