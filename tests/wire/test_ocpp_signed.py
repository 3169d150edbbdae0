"""Signed values inside OCPP messages are explained where they ride; their readings are kept apart."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from schemas.facts import Facts
from streams.reader import read
from twin.observe import observe

KEY = ec.derive_private_key(4711, ec.SECP256R1())
PUBLIC = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
SIGNED = (
    '{"GS":"GW1","MS":"M1","PG":"T5","RD":[{"TM":"2026-03-29T20:00:00,000+0200 S","TX":"B","RV":107.250,'
    '"RI":"1-0:1.8.0","RU":"kWh","ST":"G"}]}'
)


def record(text=SIGNED):
    signature = KEY.sign(text.encode(), ec.ECDSA(hashes.SHA256())).hex()
    return f'OCMF|{text}|{{"SD":"{signature}"}}'


def of_2(text, key, number):
    value = {
        "signedMeterData": base64.b64encode(text.encode()).decode(),
        "signingMethod": "",
        "encodingMethod": "OCMF",
        "publicKey": key,
    }
    sample = {"value": 107250, "signedMeterValue": value}
    body = {"evseId": 1, "meterValue": [{"timestamp": "2026-03-29T18:00:00Z", "sampledValue": [sample]}]}
    return json.dumps([2, str(number), "MeterValues", body])


def of_1_6(text):
    samples = [{"value": "107250"}, {"value": text, "format": "SignedData"}]
    body = {"connectorId": 1, "meterValue": [{"timestamp": "2026-03-29T18:00:00Z", "sampledValue": samples}]}
    return json.dumps([2, "7", "MeterValues", body])


def events(*lines):
    return list(read("\n".join(lines).encode(), "4", "GS-1"))


def facts_of(event):
    facts = Facts()
    observe(event, facts)
    return facts


@pytest.mark.parametrize(
    "key",
    [
        base64.b64encode(b"oca:base16:asn1:" + PUBLIC.hex().encode()).decode(),
        base64.b64encode(PUBLIC).decode(),
    ],
    ids=["as the alliance writes it", "plain base64"],
)
def test_the_key_may_be_sent_once(key):
    first, second = events(of_2(record(), key, 1), of_2(record(), "", 2))
    for event in (first, second):
        assert event.payload["signed"][0]["signature"]["valid"] is True
    facts = facts_of(first)
    assert {(reading.point, reading.device, reading.value_mwh, reading.quality) for reading in facts.readings} == {
        ("GS-1/1", "GS-1/1", 107_250_000, "indicative"),
        ("GS-1/1@signed", "M1", 107_250_000, "measured"),
    }


@pytest.mark.parametrize("plain", [True, False], ids=["as it is", "in base64"])
def test_a_signed_value_of_1_6_may_be_json_with_its_key(plain):
    text = record() if plain else base64.b64encode(record().encode()).decode()
    said = {"signedMeterData": text, "encodingMethod": "OCMF", "signingMethod": "", "publicKey": PUBLIC.hex()}
    (event,) = events(of_1_6(json.dumps(said)))
    assert event.payload["signed"][0]["signature"]["valid"] is True
    facts = facts_of(event)
    assert ("GS-1/1@signed", 107_250_000) in {(reading.point, reading.value_mwh) for reading in facts.readings}
    assert "OCMF" in {fact.value for fact in facts.observations if fact.attribute == "signed_value_encoding"}


@pytest.mark.parametrize("text", ['{"signedMeterData":5}', "{nonsense", '{"signedMeterData":"???"}', "[]", "eW91"])
def test_a_signed_value_of_another_kind_is_passed_over(text):
    (event,) = events(of_1_6(text))
    assert "signed" not in event.payload


def test_without_a_key_the_record_is_kept_and_says_so():
    (event,) = events(of_1_6(record()))
    assert event.payload["signed"][0]["signature"]["reason"] == "key-unknown"
    said = {fact.attribute: fact.value for fact in facts_of(event).observations}
    assert said["signed_value"] == "key-unknown"


def test_a_record_that_cannot_be_read_does_not_take_the_message_with_it():
    (event,) = events(of_1_6("OCMF|{nonsense"))
    facts = facts_of(event)
    assert [reject.reason for reject in facts.rejects] == ["bad-syntax"]
    assert [reading.value_mwh for reading in facts.readings] == [107_250_000]
