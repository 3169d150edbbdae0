"""``twin show``, ``twin actors``, ``twin events``: who there is, what is known, from which event, now and then."""

import json
from datetime import date

import pytest

from replay.scenario.faults import NO_FAULTS
from replay.scenario.plan import plan_day
from replay.scenario.street import Street
from replay.scenario.world import first_state, walk
from replay.scenario.writers import eebus_control, eebus_frames
from schemas.time import parse_time
from tests.cli.said import GOOD

ACTOR = "evse:GS-00000/1"
DAWN, NOON = "2026-03-28T22:00:00Z", "2026-03-29T12:00:00Z"
EVER = ("--from", "2026-03-28T00:00:00Z", "--to", "2026-03-31T00:00:00Z")


@pytest.fixture
def limited_house(tmp_path):
    """What control box and energy manager of a limited house say to each other on that day."""
    houses = Street(1, 3)
    plan = plan_day(houses, date(2026, 3, 29))
    boxes = eebus_control.ControlBoxes(houses, plan, NO_FAULTS)
    said = [message for quarter in walk(houses, plan, first_state(houses)) for message in boxes.messages(quarter)]
    log = tmp_path / "control-boxes.eebus.jsonl"
    log.write_bytes(b"".join(map(eebus_frames.line_of, sorted(said))))
    return log


def shown(result):
    return {entry["attribute"]: entry for entry in json.loads(result.stdout)}


def test_actors_are_listed_and_can_be_chosen_by_kind(twin):
    everyone = {entry["actor"] for entry in json.loads(twin("actors", "--json").stdout)}
    stations = {entry["actor"] for entry in json.loads(twin("actors", "evse", "--json").stdout)}
    assert ACTOR in stations < everyone
    assert f"│ {ACTOR} " in twin("actors").stdout


def test_a_kind_that_is_not_there_says_which_are(twin):
    refused = twin("actors", "wallbox")
    assert refused.exit_code == 1
    assert "no actor of kind wallbox was ever observed: there are " in refused.stderr
    assert " evse, " in refused.stderr


def test_each_attribute_has_unit_time_and_the_event_it_comes_from(twin):
    now = shown(twin("show", ACTOR, "--json"))
    assert now["ev_soc"]["unit"] == "%"
    assert now["ev_soc"]["time"] == "2026-03-29T22:00:00Z"
    listed = [json.loads(line) for line in twin("events", ACTOR, *EVER, "--json").stdout.splitlines()]
    places = {f"{event['topic']}/{event['partition']}@{event['offset']}": event["id"] for event in listed}
    of_others = {"melo", "same_as", "session"}  # said by master data of the metering location, by OCPI of the session
    for entry in now.values():
        assert (entry["attribute"] in of_others) or places[entry["position"]] == entry["event"]


def test_everything_that_is_known_of_the_street_fits_the_models(twin):
    everyone = [entry["actor"] for entry in json.loads(twin("actors", "--json").stdout)]
    doubtful = [seen for actor in everyone for seen in shown(twin("show", actor, "--json")).values() if seen["doubt"]]
    assert len(everyone) > 10
    assert doubtful == []


def test_a_value_that_its_model_does_not_allow_is_flagged(twin, street):
    told = GOOD.replace(b"CS1", b"CS-ODD").replace(
        b'"StatusNotification",{"timestamp":"2026-03-29T09:59:59Z","connectorStatus":"Occupied","evseId":1,'
        b'"connectorId":1}',
        b'"MeterValues",{"evseId":1,"meterValue":[{"timestamp":"2026-03-29T09:59:59Z","sampledValue":'
        b'[{"value":230,"measurand":"Voltage","phase":"L1-N","unitOfMeasure":{"unit":"A"}}]}]}',
    )
    assert twin("ingest", "-", "--interface", "4", stdin=told).exit_code == 0
    street.written()
    assert shown(twin("show", "evse:CS-ODD/1", "--json"))["voltage_l1_n"]["doubt"] == "in A where V is usual"
    assert "in A where V is usual" in twin("show", "evse:CS-ODD/1").stdout


def test_a_person_reads_the_same_in_a_table(twin):
    table = twin("show", ACTOR).stdout
    assert "if.04.evse-cpo/" in table
    assert "ev_soc" in table


def test_the_twin_of_noon_knows_nothing_of_the_evening(twin):
    then = shown(twin("show", ACTOR, "--at", NOON, "--json"))
    assert then
    assert max(entry["time"] for entry in then.values()) <= NOON
    assert shown(twin("show", ACTOR, "--at", "2026-03-30T12:00:00Z", "--json")) == shown(twin("show", ACTOR, "--json"))


def test_before_anything_was_recorded_nothing_was_known(twin):
    refused = twin("show", ACTOR, "--known-at", NOON)
    assert refused.exit_code == 1
    assert f"nothing is known of {ACTOR} known at {NOON}" in refused.stderr


def test_where_ocpp_and_eebus_disagree_the_latest_holds_and_the_other_is_kept(twin, street):
    at = b"2026-03-31T10:00:00Z"
    told = (
        GOOD.replace(b"CS1", b"GS-00000")
        .replace(b"2026-03-29T10:00:00Z", at)
        .replace(
            b'"StatusNotification",{"timestamp":"2026-03-29T09:59:59Z","connectorStatus":"Occupied","evseId":1,'
            b'"connectorId":1}',
            b'"BootNotification",{"reason":"PowerUp","chargingStation":{"vendorName":"V","model":"M","serialNumber":"S"}}',
        )
    )
    other = told.replace(b'"S"', b'"T"').replace(at, b"2026-03-31T09:00:00Z")
    assert twin("ingest", "-", "--interface", "4", stdin=told).exit_code == 0
    assert twin("ingest", "-", "--interface", "5", stdin=other).exit_code == 0
    street.written()
    answer = json.loads(twin("show", "evse:GS-00000", "--disputed", "--json").stdout)
    found = {dispute["attribute"]: dispute for dispute in answer}["serial_number"]
    assert (found["winner"]["value"], found["winner"]["interface"]) == ("S", "4")
    assert [(claim["value"], claim["interface"]) for claim in found["runners_up"]] == [("T", "5")]
    assert found["runners_up"][0]["position"].startswith("if.05.evse-evse-backend/")
    assert "says otherwise" in twin("show", "evse:GS-00000", "--disputed").stdout
    assert json.loads(twin("show", "evse:GS-00000", "--disputed", "--at", NOON, "--json").stdout) == []
    assert "no interfaces disagree" in twin("show", "evse:GS-00000", "--disputed", "--at", NOON).stdout
    assert twin("show", "evse:NOBODY", "--disputed").exit_code == 1


def test_what_follows_by_a_rule_stands_beside_what_was_said(twin, street):
    told = b"valid_from,melo,loads\n2026-02-01T00:00:00Z,DE0005621204300000000000000008888,wallbox=11000 battery=5000\n"
    assert twin("ingest", "-", "--interface", "33", stdin=told).exit_code == 0
    street.written()
    melo = "melo:DE0005621204300000000000000008888"
    found = shown(twin("show", melo, "--json"))
    assert found["loads"]["value"] == "wallbox=11000 battery=5000"
    owed = found["section_14a_minimum"]
    assert (owed["value"], owed["unit"], owed["rules"], owed["event"]) == (7560, "W", "enwg-14a/2024-01", None)
    assert "by enwg-14a/2024-01" in twin("show", melo).stdout
    assert "section_14a_minimum" not in shown(twin("show", ACTOR, "--json"))


def test_the_state_of_a_limitation_is_that_of_the_time_that_is_asked_for(twin, street, limited_house):
    assert twin("ingest", limited_house, "--interface", "9").exit_code == 0
    street.written()
    hems = "hems:d:_n:Gegenstrom_HEMS-00002"
    states = {}
    for at in ("2026-03-29T15:59:00Z", "2026-03-29T16:30:00Z", "2026-03-29T17:00:01Z", "2026-03-30T12:00:00Z"):
        found = shown(twin("show", hems, "--at", at, "--json"))
        states[at] = [found[name]["value"] for name in ("lpc_state", "lpc_state_limit") if name in found]
    assert list(states.values()) == [
        ["unlimited/controlled"],
        ["limited", 4200],
        ["unlimited/controlled"],
        ["unlimited/autonomous"],
    ]


def test_an_unknown_actor_is_answered_with_near_names(twin):
    refused = twin("show", "meter:GS-00000")
    assert refused.exit_code == 1
    assert "did you mean evse:GS-00000 or evse:GS-00000/1" in refused.stderr
    assert "`twin actors` lists who there is" in twin("show", "nobody").stderr


def test_events_come_in_order_of_time_and_only_from_the_span(twin):
    listed = twin("events", ACTOR, "--from", DAWN, "--to", NOON)
    times = [parse_time(line.split()[0]) for line in listed.stdout.splitlines()]
    assert times == sorted(times)
    assert times[-1] < parse_time(NOON)
    assert len(times) < len(twin("events", ACTOR, *EVER).stdout.splitlines())


@pytest.mark.parametrize(
    ("span", "code", "sentence"),
    [
        ((NOON, DAWN), 2, "--from has to be earlier than --to"),
        (("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"), 1, f"there is no event about {ACTOR} from 2020-01-01"),
    ],
)
def test_a_span_without_events_is_one_sentence(twin, span, code, sentence):
    refused = twin("events", ACTOR, "--from", span[0], "--to", span[1])
    assert refused.exit_code == code
    assert sentence in refused.stderr


def test_a_database_that_is_away_is_one_sentence_without_its_password(twin):
    refused = twin("show", ACTOR, TWIN_DATABASE_URL="postgresql://me:secret@127.0.0.1:9/none")
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "the database at postgresql://me:***@127.0.0.1:9/none does not answer" in refused.stderr
    assert "secret" not in refused.output


def test_a_schema_without_tables_says_how_to_make_them(twin):
    assert "`twin migrate` makes them" in twin("show", ACTOR, TWIN_SCHEMA="test_nobody_made_this").stderr
