"""Signed charging records: taken apart without touching what was signed, and every failure by its own name."""

import base64
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from schemas.event import Event
from schemas.facts import Facts
from schemas.wire.contract import Conversation, Frame, Malformed, WireError
from schemas.wire.ocmf import FORMAT, explain, parse_record, verify
from streams.reader import read
from twin.observe import observe

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "ocmf"
KEY = ec.derive_private_key(20_260_329, ec.SECP256R1())
OTHER_KEY = ec.derive_private_key(20_261_025, ec.SECP256R1())


def public(key, encoding=Encoding.DER):
    return key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo).hex()


def reading(kind, value, time="2026-03-29T20:00:00,000+0200 S", code="1-0:1.8.0", **more):
    return f'{{"TM":"{time}","TX":"{kind}","RV":{value},"RI":"{code}","RU":"kWh","ST":"G"{"".join(more.values())}}}'


def payload(*readings, page="T1", meter="1EMH0012345678", **more):
    extra = "".join(f',"{name}":{json.dumps(value)}' for name, value in more.items())
    return f'{{"FV":"1.0","GS":"GW1","MS":"{meter}","PG":"{page}"{extra},"RD":[{",".join(readings)}]}}'


def record(text, key=KEY, **section):
    signature = key.sign(text.encode(), ec.ECDSA(hashes.SHA256())).hex()
    return f"OCMF|{text}|{json.dumps({'SD': signature, **section})}".encode()


def explained(octets, key=None, conversation=None):
    return explain(octets, public(KEY) if key is None else key, conversation or Conversation())


def reasons(said):
    return [entry["reason"] for entry in said["checks"]]


def facts_of(said):
    facts = Facts()
    observe(Event("0" * 32, "4", "s", "ocmf.record", "evse:GS-1/1", 1, None, said, b"", {}), facts)
    return facts


WHOLE = payload(reading("B", "100.000"), reading("E", "107.250", "2026-03-29T21:00:00,000+0200 S"))


def test_a_good_record_is_valid_keeps_its_digits_and_counts_its_transaction():
    said = explained(record(WHOLE))
    assert said["signature"]["valid"] is True
    assert said["checks"] == []
    assert [str(entry["value"]) for entry in said["readings"]] == ["100.000", "107.250"]
    assert said["readings"][1]["time"] == "2026-03-29T19:00:00Z"
    assert said["energy"] == {"import_mwh": 7_250_000}


def test_a_register_no_meter_can_show_is_set_aside():
    facts = facts_of(explained(record(WHOLE.replace("107.250", "9" * 12))))
    assert [reject.reason for reject in facts.rejects] == ["implausible"]
    assert len(facts.readings) == 1


def test_what_was_signed_is_never_written_anew():
    text = WHOLE.replace(",", " ,\t", 1)
    assert parse_record(record(text)).signed == text.encode()
    assert explained(record(text))["signature"]["valid"] is True


def test_facts_of_a_good_record():
    facts = facts_of(explained(record(WHOLE)))
    assert [fact[:7] for fact in facts.readings] == [
        ("GS-1/1@signed", "1EMH0012345678", "1-0:1.8.0", "import", 1_774_807_200_000_000, 100_000_000, "measured"),
        ("GS-1/1@signed", "1EMH0012345678", "1-0:1.8.0", "import", 1_774_810_800_000_000, 107_250_000, "measured"),
    ]
    said = {fact.attribute: (fact.value, fact.unit) for fact in facts.observations}
    assert said == {
        "signed_value": ("valid", ""),
        "signed_value.checks": ("ok", ""),
        "signed_value.page": ("T1", ""),
        "transaction_import": (Decimal(7250), "Wh"),
    }


@pytest.mark.parametrize(
    ("octets", "key", "reason"),
    [
        (record(WHOLE).replace(b"107.250", b"107.251"), None, "signature-wrong"),
        (record(WHOLE), public(OTHER_KEY), "signature-wrong"),
        (record(WHOLE).rpartition(b"|")[0], None, "signature-missing"),
        (record(WHOLE, SD=""), None, "signature-missing"),
        (record(WHOLE, SD="00ff"), None, "signature-malformed"),
        (record(WHOLE, SD="not hex"), None, "signature-malformed"),
        (record(WHOLE, SA="RSA-4096-SHA256"), None, "algorithm-unknown"),
        (record(WHOLE), "", "key-unknown"),
        (record(WHOLE), "zz", "key-malformed"),
        (record(WHOLE), "3059deadbeef", "key-malformed"),
        (record(WHOLE, SA="ECDSA-secp256k1-SHA256"), None, "key-of-other-curve"),
        (record(WHOLE, SA="ECDSA-secp192k1-SHA256"), None, "key-of-other-curve"),
    ],
)
def test_every_way_a_signature_fails_has_its_own_reason(octets, key, reason):
    verdict = explained(octets, key)["signature"]
    assert (verdict["valid"], verdict["reason"]) == (False, reason)
    assert verdict["detail"]


def test_of_a_wrong_signature_no_reading_is_believed_of_an_unknown_key_they_are_indicative():
    wrong = facts_of(explained(record(WHOLE).replace(b"107.250", b"107.251")))
    assert (wrong.readings, [reject.reason for reject in wrong.rejects]) == ([], ["signature-wrong"])
    assert {fact.quality for fact in facts_of(explained(record(WHOLE), "")).readings} == {"indicative"}


@pytest.mark.parametrize(
    "begin",
    [
        reading("B", "100.000", "2026-03-29T20:00:00,000+0200 I"),
        reading("B", "100.000", "2026-03-29T20:00:00,000+0200 R"),
        reading("B", "100.000", flag=',"EF":"t"'),
        reading("B", "100.000").replace('"G"', '"M"'),
    ],
    ids=["clock informative", "clock relative", "error of time", "status"],
)
def test_a_reading_for_which_the_meter_does_not_vouch_is_indicative_and_its_transaction_still_counts(begin):
    end = '{"TM":"2026-03-29T21:00:00,000+0200 S","TX":"E","RV":107.250,"ST":"G","EF":""}'
    facts = facts_of(explained(record(payload(begin, end))))
    assert [fact.quality for fact in facts.readings] == ["indicative", "measured"]
    assert [fact.value for fact in facts.observations if fact.attribute == "transaction_import"] == [Decimal(7250)]


@pytest.mark.parametrize("curve", [ec.SECP256R1, ec.SECP256K1, ec.SECP192R1, ec.BrainpoolP256R1, ec.SECP384R1])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_every_curve_and_encoding_of_the_specification(curve, encoding):
    key = ec.derive_private_key(4711, curve())
    name = curve.__name__.lower().replace("poolp", "pool")
    octets = key.sign(WHOLE.encode(), ec.ECDSA(hashes.SHA256()))
    text = octets.hex() if encoding == "hex" else base64.b64encode(octets).decode()
    section = {"SA": f"ECDSA-{name}-SHA256", "SE": encoding, "SD": text}
    assert verify(WHOLE.encode(), section, public(key)).valid
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex()
    assert verify(WHOLE.encode(), section, point).valid
    assert verify(WHOLE.encode() + b" ", section, point).reason == "signature-wrong"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (payload(reading("B", "1"), meter="").replace('"GS":"GW1",', ""), ["serial-missing"]),
        (payload(reading("B", "1"), page=""), ["pagination-missing"]),
        (payload(reading("B", "1").replace('"G"', '"M"')), ["status-not-good"]),
        (payload(reading("B", "1", flag=',"EF":"Et"')), ["error-flag"]),
        (payload(reading("B", "1", "2026-03-29T20:00:00,000+0200 I")), ["clock-not-synchronised"]),
        (payload(reading("B", "1", "2026-03-29T20:00:00,000+0200")), ["clock-not-synchronised"]),
        (payload(reading("E", "1")), ["begin-missing"]),
        (payload(reading("B", "2"), reading("E", "1")), ["register-falls"]),
        (payload(reading("B", "2"), reading("E", "9223372036854775808")), ["register-leaps"]),
        (
            payload(
                reading("B", "1"),
                reading("B", "0", code="1-0:B2.8.0"),
                reading("E", "2"),
                reading("E", "1.5", code="1-0:B2.8.0"),
            ),
            ["energy-contradicted"],
        ),
    ],
)
def test_every_check_has_its_own_reason(text, expected):
    said = explained(record(text))
    assert reasons(said) == expected
    assert "energy" not in said


def in_turn(*texts):
    conversation = Conversation()
    return [explained(record(text), conversation=conversation) for text in texts]


def test_begin_and_end_in_two_records_are_one_transaction():
    begin, end = in_turn(payload(reading("B", "5.5")), payload(reading("E", "7.0"), page="T2"))
    assert "energy" not in begin
    assert end["energy"] == {"import_mwh": 1_500_000}


def test_pages_that_leave_a_gap_or_come_again_with_other_content():
    gap = in_turn(payload(reading("B", "5")), payload(reading("E", "7"), page="T3"))[1]
    assert reasons(gap) == ["pagination-gap"]
    again = in_turn(payload(reading("X", "5")), payload(reading("X", "7")))[1]
    assert reasons(again) == ["pagination-repeated"]
    assert reasons(in_turn(payload(reading("X", "5")), payload(reading("X", "5")))[1]) == []


def test_another_meter_at_the_end_and_a_begin_without_an_end():
    swapped = in_turn(payload(reading("B", "5")), payload(reading("E", "7"), meter="1EMH0000000002", page="T2"))[1]
    assert reasons(swapped) == ["serials-differ"]
    later = "2026-03-29T22:00:00,000+0200 S"
    abandoned = in_turn(payload(reading("B", "5")), payload(reading("B", "7", later), page="T2"))[1]
    assert reasons(abandoned) == ["end-missing"]


def test_what_a_vehicle_gives_back_is_export():
    text = payload(
        reading("B", "3", code="1-0:C0.8.0"),
        reading("B", "0", code="01-00:C2.08.00*FF"),
        reading("E", "4.25", code="1-0:C0.8.0"),
        reading("E", "1.25", code="01-00:C2.08.00*FF"),
    )
    said = explained(record(text))
    assert said["energy"] == {"export_mwh": 1_250_000}
    assert [(fact.obis, fact.direction) for fact in facts_of(said).readings] == [("1-0:C0.8.0", "export")] * 2


def test_readings_take_over_what_they_leave_out():
    text = payload(reading("B", "1"), '{"TX":"E","RV":2}')
    assert explained(record(text))["energy"] == {"import_mwh": 1_000_000}


@pytest.mark.parametrize(
    ("octets", "reason", "says"),
    [
        (b"", "bad-syntax", "starts with OCMF|"),
        (b"XCMF|{}|{}", "bad-syntax", "starts with OCMF|"),
        (b"OCMF|{", "truncated", "ends too early"),
        (b"OCMF|[]|{}", "schema-violation", "payload"),
        (b"OCMF|{}|{}", "schema-violation", "in RD"),
        (b'OCMF|{"RD":[1]}|{}', "schema-violation", "in RD"),
        (b'OCMF|{"RD":[{}]}|{}', "schema-violation", "has no TM"),
        (b'OCMF|{"RD":[{"TM":"2026-03-29T20:00:00,000+0200 S"}]}|{}', "schema-violation", "has no RV"),
        (b'OCMF|{"RD":[{"TM":"yesterday","RV":1}]}|{}', "schema-violation", "'yesterday'"),
        (b'OCMF|{"RD":[{"TM":"2026-02-30T20:00:00+0200 S","RV":1}]}|{}', "schema-violation", "is no time"),
        (b'OCMF|{"RD":[]}|{"SD":1]', "bad-syntax", "not JSON"),
        (b"OCMF|" + b" " * 300_000, "too-large", "bytes"),
    ],
)
def test_bad_input_is_named(octets, reason, says):
    with pytest.raises(WireError) as problem:
        explained(octets)
    assert problem.value.reason == reason
    assert says in problem.value.detail


@given(st.binary(max_size=200))
def test_arbitrary_octets_give_only_wire_errors(octets):
    for content in (octets, b"OCMF|" + octets, b'OCMF|{"RD":[]}|' + octets, b"<values>" + octets):
        for item in FORMAT.split(io.BytesIO(content)):
            try:
                FORMAT.decode(item, Conversation()) if isinstance(item, Frame) else None
            except WireError:
                continue


@given(st.integers(0, 2**40), st.integers(0, 9))
def test_any_register_state_comes_back_exactly(value, places):
    text = format(Decimal(value).scaleb(-places), "f")
    (entry,) = explained(record(payload(reading("X", text))))["readings"]
    assert format(Decimal(entry["value"]), "f") == text


def container(text, encoding="plain", form="OCMF"):
    return (
        f'<?xml version="1.0"?><values><value transactionId="7" context="Transaction.End">'
        f'<signedData format="{form}" encoding="{encoding}">{text}</signedData>'
        f"<publicKey encoding='hex'>{public(KEY)}</publicKey></value></values>"
    ).encode()


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (f"\n  {record(WHOLE).decode()}\n", "plain"),
        (base64.b64encode(record(WHOLE)).decode(), "base64"),
        (record(WHOLE).hex(), "hex"),
    ],
)
def test_the_container_of_the_transparency_software_brings_the_key(text, encoding):
    (event,) = read(container(text, encoding), "4", "station")
    assert event.payload["signature"]["valid"] is True
    assert event.context["transactionId"] == "7"


def test_records_as_lines_of_text_with_what_is_none_kept():
    found = list(FORMAT.split(io.BytesIO(record(WHOLE) + b"\nhello\n\n" + record(WHOLE))))
    assert [type(item).__name__ for item in found] == ["Frame", "Malformed", "Frame"]


@pytest.mark.parametrize(
    "content",
    [container("", "plain"), container("zz", "hex"), container("x", form="ALFEN"), b"<values>", b"<values><other/"],
)
def test_containers_that_cannot_be_read_are_kept(content):
    assert all(isinstance(item, Malformed) for item in FORMAT.split(io.BytesIO(content)))


@pytest.mark.skipif(not SAMPLES.exists(), reason="../shared/samples is not here")
@pytest.mark.parametrize(
    ("name", "verdicts", "checks", "values"),
    [
        (
            "Ocmf_Example_OBIS_98.8.0_2.8.0.xml",
            [""],
            {"clock-not-synchronised"},
            [["0.0", "1.0", "1.0", "2.0"]],
        ),
        ("test_ocmf_keba_kcp30.xml", [""], {"clock-not-synchronised"}, [["0.2596", "0.2597"]]),
        ("test_ocmf_keba_kcp30_fail.xml", ["signature-wrong"], {"clock-not-synchronised"}, [["0.2596", "0.2597"]]),
        (
            "test_ocmf_transaction_two_values.xml",
            ["", ""],
            {"pagination-repeated"},
            [["3.51824", "7.01047"], ["9.43621", "12.64134"]],
        ),
    ],
)
def test_the_samples(name, verdicts, checks, values):
    events = list(read(SAMPLES / name, "4"))
    assert [event.payload["signature"]["reason"] for event in events] == verdicts
    assert {reason for event in events for reason in reasons(event.payload)} == checks
    assert [[str(entry["value"]) for entry in event.payload["readings"]] for event in events] == values
