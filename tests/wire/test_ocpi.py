"""OCPI: sessions, charge detail records and locations of both versions, their net energy kept apart."""

import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.facts import Facts
from schemas.wire.contract import Conversation, Frame, WireError
from schemas.wire.ocpi import FORMAT
from streams.reader import Rejected, read
from twin.observe import observe

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "ocpi"
TOKEN = {"country_code": "DE", "party_id": "8AA", "uid": "1", "type": "RFID", "contract_id": "DE8AA0012345670"}
SESSION = {
    "country_code": "DE",
    "party_id": "GGS",
    "id": "S-1",
    "start_date_time": "2026-03-29T18:00:00Z",
    "kwh": -3.250,
    "cdr_token": TOKEN,
    "auth_method": "WHITELIST",
    "location_id": "LOC1",
    "evse_uid": "GS-1",
    "connector_id": "1",
    "currency": "EUR",
    "status": "ACTIVE",
    "last_updated": "2026-03-29T19:00:00Z",
}
CDR = {
    "country_code": "DE",
    "party_id": "GGS",
    "id": "C-1",
    "session_id": "S-1",
    "start_date_time": "2026-03-29T18:00:00",
    "end_date_time": "2026-03-29T20:00:00Z",
    "cdr_token": TOKEN,
    "auth_method": "WHITELIST",
    "cdr_location": {"id": "LOC1", "evse_uid": "GS-1", "evse_id": "DE*GGS*E1", "connector_id": "1"},
    "currency": "EUR",
    "charging_periods": [
        {
            "start_date_time": "2026-03-29T18:00:00Z",
            "dimensions": [{"type": "ENERGY_IMPORT", "volume": 4.5}, {"type": "ENERGY_EXPORT", "volume": 7.75}],
        },
        {"start_date_time": "2026-03-29T19:00:00Z", "dimensions": [{"type": "ENERGY_IMPORT", "volume": 0.25}]},
    ],
    "total_cost": {"excl_vat": 1.00, "incl_vat": 1.19},
    "total_energy": -3.0,
    "total_time": 2,
    "last_updated": "2026-03-29T20:05:00Z",
}
LOCATION = {
    "country_code": "DE",
    "party_id": "GGS",
    "id": "LOC1",
    "publish": True,
    "coordinates": {"latitude": "52.5", "longitude": "13.4"},
    "evses": [
        {
            "uid": "GS-1",
            "evse_id": "DE*GGS*E1",
            "status": "CHARGING",
            "connectors": [{"id": "1", "last_updated": "2026-03-29T19:00:00Z"}],
            "last_updated": "2026-03-29T19:00:00Z",
        }
    ],
    "last_updated": "2026-03-29T20:00:00Z",
}


def one(content):
    (event,) = read(json.dumps(content).encode(), "E1", "GGS")
    return event


def said(event):
    facts = Facts()
    observe(event, facts)
    assert facts.rejects == []
    return {(fact.actor, fact.attribute): (fact.value, fact.unit) for fact in facts.observations}


def test_a_session_s_energy_is_net_and_neither_import_nor_export():
    event = one(SESSION)
    assert (event.type, event.actor) == ("ocpi.session", "session:DE*GGS*S-1")
    facts = said(event)
    assert facts["session:DE*GGS*S-1", "energy_net"] == (Decimal("-3250.0"), "Wh")
    assert facts["session:DE*GGS*S-1", "status"] == ("ACTIVE", "")
    assert not {attribute for _, attribute in facts} & {"energy_import", "energy_export"}


def test_a_charge_detail_record_belongs_to_its_session_and_tells_directions_where_its_periods_do():
    event = one(CDR)
    actor = "session:DE*GGS*S-1"
    facts = said(event)
    assert event.payload["version"] == "2.2.1"
    assert facts[actor, "energy_net"] == (Decimal(-3000), "Wh")
    assert facts[actor, "energy_import"] == (Decimal(4750), "Wh")
    assert facts[actor, "energy_export"] == (Decimal(7750), "Wh")
    assert facts[actor, "cost"] == (Decimal(1), "EUR")
    assert facts[actor, "cost_with_tax"] == (Decimal("1.19"), "EUR")
    assert facts[actor, "start"] == ("2026-03-29T18:00:00Z", "")
    assert facts[actor, "status"] == ("BILLED", "")


@pytest.mark.parametrize(
    ("cost", "names"), [({"net": 1, "gross": 1.19}, "gross, net"), ({}, "nothing"), ({"excl_vat": None}, "excl_vat")]
)
def test_a_price_whose_parts_have_unknown_names_is_reported_by_them(cost, names):
    facts = Facts()
    observe(one(CDR | {"total_cost": cost}), facts)
    assert not {seen.attribute for seen in facts.observations} & {"cost", "cost_with_tax"}
    [reject] = facts.rejects
    assert reject.reason == "unknown-price"
    assert f"but {names}: no cost is known" in reject.detail


def test_the_price_of_a_record_of_2_3_0_with_tax_is_that_before_taxes_and_every_tax():
    taxes = [{"name": "VAT", "amount": 0.19}, {"name": "city", "amount": 0.005}]
    facts = said(one(CDR | {"total_cost": {"before_taxes": 1.00, "taxes": taxes}}))
    assert facts["session:DE*GGS*S-1", "cost"] == (Decimal(1), "EUR")
    assert facts["session:DE*GGS*S-1", "cost_with_tax"] == (Decimal("1.195"), "EUR")
    assert ("session:DE*GGS*S-1", "cost_with_tax") not in said(one(CDR | {"total_cost": {"before_taxes": 1.00}}))


def test_a_contract_with_a_wrong_check_character_is_reported_and_the_record_counts():
    wrong = CDR | {"cdr_token": TOKEN | {"contract_id": "DE8AA0012345671"}}
    facts = said(one(wrong))
    assert "check" in facts["session:DE*GGS*S-1", "contract.doubt"][0]
    assert facts["session:DE*GGS*S-1", "energy_net"] == (Decimal(-3000), "Wh")


def test_a_location_says_the_state_of_its_evses():
    assert said(one(LOCATION)) == {
        ("evse:DE*GGS*E1", "availability"): ("CHARGING", ""),
        ("evse:DE*GGS*E1", "location"): ("LOC1", ""),
        ("evse:DE*GGS*E1", "operator"): ("DE*GGS", ""),
    }


@pytest.mark.parametrize("nature", ["Start", "End"])
def test_signed_values_are_explained_or_their_trouble_is_kept(nature):
    record = 'OCMF|{"GS":"G","PG":"T1","RD":[]}|{}'
    values = [{"nature": nature, "plain_data": "", "signed_data": record}]
    event = one(CDR | {"signed_data": {"encoding_method": "OCMF", "signed_values": values}})
    assert event.payload["signed"][0]["signature"]["reason"] == "signature-missing"
    values[0]["signed_data"] = "AP;0;3;..."
    event = one(CDR | {"signed_data": {"encoding_method": "Alfen", "signed_values": values}})
    facts = Facts()
    observe(event, facts)
    assert [reject.reason for reject in facts.rejects] == ["unsupported"]


def test_other_objects_are_kept_and_say_nothing():
    event = one({"id": "12", "currency": "EUR", "elements": [], "last_updated": "2026-03-29T19:00:00Z"})
    assert event.type == "ocpi.tariff"
    assert said(event) == {}


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([SESSION, CDR], indent=1),
        json.dumps({"status_code": 1000, "data": [SESSION, CDR], "timestamp": "2026-03-29T20:00:00Z"}),
        json.dumps(SESSION) + "\n\n" + json.dumps(CDR),
        "\n".join(json.dumps({"time": "2026-03-29T20:00:00Z", "source": "GGS", "object": o}) for o in (SESSION, CDR)),
    ],
    ids=["list", "response", "lines", "log"],
)
def test_files_hold_one_or_many(content):
    events = list(read(content.encode(), "E1", "GGS"))
    assert [event.type for event in events] == ["ocpi.session", "ocpi.cdr"]
    assert [json.loads(event.raw)["id"] for event in events] == ["S-1", "C-1"]


@pytest.mark.parametrize(
    ("content", "reason", "says"),
    [
        ({**SESSION, "kwh": "many"}, "schema-violation", "kwh"),
        ({name: value for name, value in SESSION.items() if name != "status"}, "schema-violation", "status"),
        ({**SESSION, "status": "DONE"}, "schema-violation", "status"),
        ({**SESSION, "start_date_time": "yesterday"}, "schema-violation", "start_date_time"),
        ({**SESSION, "currency": "euro"}, "schema-violation", "currency"),
        ({**CDR, "charging_periods": []}, "schema-violation", "charging_periods"),
        ({**LOCATION, "evses": [{"uid": "1"}]}, "schema-violation", "evses.0.status"),
        ({"object": {"publish": 1}}, "unsupported", "neither a location"),
        ({"object": 5}, "bad-syntax", "an object"),
        ({"object": {}, "time": "yesterday"}, "bad-syntax", "time"),
        ({"object": {}, "time": 5}, "bad-syntax", "are text"),
        ({"status_code": 2000, "data": "x"}, "bad-syntax", "expected"),
    ],
)
def test_bad_input_is_named(content, reason, says):
    (rejected,) = read(json.dumps(content).encode(), "E1", "GGS")
    assert isinstance(rejected, Rejected)
    assert rejected.reason == reason
    assert says in rejected.detail


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists))
def test_any_value_in_any_field_gives_only_wire_errors(value):
    for name in ("kwh", "cdr_token", "status", "charging_periods", "last_updated"):
        frame = Frame(json.dumps(SESSION | {name: value}).encode(), 0)
        try:
            FORMAT.decode(frame, Conversation())
        except WireError:
            continue


@given(st.binary(max_size=200))
def test_arbitrary_octets_are_kept(octets):
    kept = b"".join(item.raw for item in FORMAT.split(io.BytesIO(b"{" + octets)))
    assert b"".join(kept.split()) == b"".join((b"{" + octets).split())


@pytest.mark.skipif(not SAMPLES.exists(), reason="../shared/samples is not here")
def test_the_samples():
    events = {path.name: next(iter(read(path, "E1"))) for path in sorted(SAMPLES.glob("*.json"))}
    assert not [name for name, event in events.items() if isinstance(event, Rejected)]
    cdr = said(events["cdr_example.json"])
    assert events["cdr_example.json"].payload["version"] == "2.3.0"
    assert cdr["session:BE*BEC*12345", "energy_net"] == (Decimal("15342.000"), "Wh")
    assert cdr["session:BE*BEC*12345", "cost"] == (Decimal("4.00"), "EUR")
    assert cdr["session:BE*BEC*12345", "cost_with_tax"] == (Decimal("4.40"), "EUR")
    session = said(events["session_example_1_simple_start.json"])
    assert session["session:NL*STK*101", "status"] == ("PENDING", "")
    assert session["session:NL*STK*101", "cost"] == (Decimal("2.5"), "EUR")
    places = said(events["location_example.json"])
    assert places["evse:BE*BEC*E041503002", "availability"] == ("RESERVED", "")
    assert sum(event.type == "ocpi.location" for event in events.values()) == 6
