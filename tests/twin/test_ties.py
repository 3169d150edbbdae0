"""Messages are tied together by the names that a table of rules finds in them; each tells what it changed."""

import pytest

from schemas.event import Event
from schemas.facts import Facts, Observation, Reading, SlotValue
from schemas.time import HOUR_US, SLOT_US
from twin.story import TIES, Change, Telling, names_in, time_told


def event(kind, actor, payload):
    return Event("ab" * 16, "4", "", kind, actor, 0, 0, payload, b"", {})


@pytest.mark.parametrize(
    ("kind", "payload", "names"),
    [
        (
            "ocpp.2.0.1.TransactionEvent",
            {"body": {"transactionInfo": {"transactionId": "T1"}, "idToken": {"idToken": "DEGGSC1"}}},
            {"transaction:T1", "contract:DEGGSC1"},
        ),
        ("ocpp.1.6.StopTransaction", {"body": {"transactionId": 17, "idTag": "X"}}, {"transaction:17", "contract:X"}),
        (
            "ocpp.2.1.SetChargingProfile",
            {"call": {"request": {"chargingProfile": {"transactionId": "T1"}}}},
            {"transaction:T1"},
        ),
        (
            "eebus.identificationListData",
            {
                "source": {"actor": "evse:d:_n:X"},
                "destination": {"actor": "hems:d:_n:H"},
                "commands": [{"data": {"identificationData": [{"identificationValue": "02-00"}]}}],
            },
            {"evse:d:_n:X", "hems:d:_n:H", "bev:02-00"},
        ),
        (
            "taf7.readings",
            {"usage_points": [{"melo": "DE1", "registers": [{"device": "0A01454D48000051971E"}]}, {"melo": "DE2"}]},
            {"melo:DE1", "melo:DE2", "meter:1EMH0005347102"},
        ),
        ("mscons.13025", {"locations": [{"id": "41", "device": ""}]}, {"melo:41", "malo:41"}),
        (
            "ocpi.cdr",
            {"object": {"cdr_location": {"evse_id": "E1"}, "cdr_token": {"contract_id": "C1"}}},
            {"evse:E1", "contract:C1"},
        ),
        ("iso15118.SessionSetupRes", {"session": {"evcc": "02", "evse": "E1"}}, {"bev:02", "evse:E1"}),
        ("sml.list", {"body": {"transactionId": "T1"}}, set()),
        ("ocpp.2.0.1.Heartbeat", {"body": "of another form"}, set()),
    ],
)
def test_a_rule_finds_the_names_in_a_message(kind, payload, names):
    assert names_in(event(kind, "evse:A", payload)) == names | {"evse:A"}


@pytest.mark.parametrize(
    ("end", "until_h"), [("1970-01-01T02:00:00Z", 2), (None, 3)], ids=["over", "goes on when it is told"]
)
def test_a_session_tells_of_its_own_time(end, until_h):
    told = [("start", "1970-01-01T01:00:00Z"), ("end", end)]
    facts = Facts(observations=[Observation("session:S", *one, "", 1) for one in told if one[1]])
    pushed = event("ocpi.session", "session:S", {})._replace(time_us=3 * HOUR_US)
    assert time_told(pushed, facts) == (HOUR_US, until_h * HOUR_US)


def test_a_series_tells_of_its_time_and_a_single_reading_of_none():
    document = event("mscons.13025", "malo:41", {})
    slots = [SlotValue("energy.import", "41", number * SLOT_US, 1, "mWh", "measured", "1") for number in range(4)]
    assert time_told(document, Facts(slot_values=slots)) == (0, HOUR_US)
    readings = [Reading("M", "M", "1-0:1.8.0", "import", hour * HOUR_US, 1, "measured") for hour in (1, 3)]
    assert time_told(document, Facts(readings=readings)) == (HOUR_US, 3 * HOUR_US)
    assert time_told(document, Facts(readings=readings[:1])) is None
    assert time_told(document, Facts()) is None


def test_every_rule_says_what_it_finds():
    assert all(tie.meaning and tie.path and tie.types.partition(".")[1] for tie in TIES)
    assert len(set(TIES)) == len(TIES)


def said(*rows):
    return Facts([Observation("evse:A", attribute, value, "", time_us) for attribute, value, time_us in rows])


def test_a_message_changes_what_it_says_anew_and_not_what_it_repeats():
    telling = Telling({("evse:A", "state"): (1, "a", "Idle")})
    members = frozenset({"evse:A"})
    assert telling.changes("b", said(("state", "Charging", 2), ("power", 5, 2)), members) == [
        Change("evse:A", "state", "Idle", "Charging", ""),
        Change("evse:A", "power", None, 5, ""),
    ]
    assert telling.changes("c", said(("state", "Charging", 3)), members) == []
    assert telling.changes("d", said(("state", "Idle", 2)), members) == []
    assert telling.changes("e", said(("state", "Idle", 4)), frozenset()) == []
