"""``twin slots``: 92, 96 or 100 quarter hours, with what is behind each."""

import csv
import io
import json
import os
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow.parquet as pq
import pytest

from schemas.time import SLOT_US, parse_time
from schemas.wire.mscons import cancellation, encode_interchange, message_of, profile

POINT, DAY = "GS-00000/1", "2026-03-29"


@pytest.fixture
def truth(street):
    with (street.files / "truth" / "quarter_hours.csv").open() as file:
        return list(csv.DictReader(file))


def answer(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_short_day_has_92_quarter_hours_in_both_directions(twin):
    said = answer(twin("slots", POINT, DAY, "--json"))
    for direction in ("import", "export"):
        rows = [row for row in said["quarter_hours"] if row["direction"] == direction]
        assert len(rows) == said["total"][direction]["of"] == 92
        assert (rows[0]["slot"], rows[0]["local"]) == ("2026-03-28T23:00:00Z", "2026-03-29T00:00:00+01:00")
        assert [row["local"][11:16] for row in rows[7:9]] == ["01:45", "03:00"]


@pytest.mark.parametrize(("day", "quarters"), [("2026-03-28", 96), ("2026-10-25", 100)])
def test_other_days_have_96_and_100(street, day, quarters):
    from datetime import date

    from cli.slots import day_of_point

    found = day_of_point(street.config, POINT, date.fromisoformat(day)).quarters
    assert len(found) == 2 * quarters


def test_energy_is_what_really_went_through(twin, truth):
    said = answer(twin("slots", POINT, DAY, "--json"))
    told = {(row["slot"], row["direction"]): row["value_mwh"] for row in said["quarter_hours"]}
    true = [row for row in truth if row["point"] == POINT]
    assert len(true) == len(told)
    for row in true:
        assert abs(told[row["slot"], row["direction"]] - int(row["value_mwh"])) <= int(row["tolerance_mwh"])


def test_what_is_missing_is_counted_and_never_0(twin, street):
    line = (
        b'{"time":"2026-03-29T%(at)bZ","station":"CS-GAP","direction":"to_csms","subprotocol":"ocpp2.0.1","frame":'
        b'[2,"%(at)b","MeterValues",{"evseId":1,"meterValue":[{"timestamp":"2026-03-29T%(at)bZ","sampledValue":'
        b'[{"value":%(wh)d,"measurand":"Energy.Active.Import.Register","unitOfMeasure":{"unit":"Wh"}}]}]}]}\n'
    )
    log = b"".join(line % {b"at": at, b"wh": wh} for at, wh in ((b"10:00:00", 1000), (b"10:15:00", 1250)))
    assert twin("ingest", "-", "--interface", "4", stdin=log).exit_code == 0
    street.written()
    said = answer(twin("slots", "CS-GAP/1", DAY, "--json"))
    assert said["total"]["import"] == {"sum_mwh": 250_000, "present": 1, "of": 92, "missing": 91}
    assert said["total"]["export"] == {"sum_mwh": 0, "present": 0, "of": 92, "missing": 92}
    assert {row["quality"] for row in said["quarter_hours"] if row["value_mwh"] is None} == {"missing"}
    (known,) = [row for row in said["quarter_hours"] if row["value_mwh"] is not None]
    assert len({event["id"] for event in known["events"]} - {None}) == 2  # although nothing of it is archived yet
    assert "import: 0.250000 kWh in 1 of 92 quarter hours, 91 missing\n" in twin("slots", "CS-GAP/1", DAY).stdout


def test_readings_and_events_are_named_by_their_place_and_id(twin):
    said = answer(twin("slots", POINT, DAY, "--json"))
    span = ("--from", "2026-03-28T00:00:00Z", "--to", "2026-03-31T00:00:00Z")
    listed = [json.loads(line) for line in twin("events", f"evse:{POINT}", *span, "--json").stdout.splitlines()]
    ids = {f"{event['topic']}/{event['partition']}@{event['offset']}": event["id"] for event in listed}
    for row in said["quarter_hours"]:
        assert row["events"]
        for event in row["events"]:
            assert event["id"] == ids[event["position"]]
        first, last = row["readings"][0], row["readings"][-1]
        assert last["value_mwh"] - first["value_mwh"] == row["value_mwh"]
        assert {first["position"], last["position"]} <= {event["position"] for event in row["events"]}


def test_csv_and_parquet_hold_the_same_rows(twin, tmp_path):
    said = answer(twin("slots", POINT, DAY, "--json"))["quarter_hours"]
    rows = list(csv.DictReader(io.StringIO(twin("slots", POINT, DAY, "--csv").stdout)))
    assert [(row["slot"], int(row["value_mwh"])) for row in rows] == [(row["slot"], row["value_mwh"]) for row in said]
    assert rows[0]["events"].split() == [event["position"] for event in said[0]["events"]]
    file = tmp_path / "day.parquet"
    assert twin("slots", POINT, DAY, "--parquet", file).exit_code == 0
    stored = pq.read_table(file).to_pylist()
    assert [row["value_mwh"] for row in stored] == [row["value_mwh"] for row in said]
    assert stored[0]["slot"] == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert stored[0]["readings"][0]["position"] == said[0]["readings"][0]["position"]


def test_a_document_of_the_gateway_gives_the_meter_its_day(twin, truth):
    melo = next(row["point"] for row in truth if row["point"].startswith("DE"))
    said = answer(twin("slots", melo, DAY, "--json"))
    assert {row["quality"] for row in said["quarter_hours"]} == {"measured"}
    assert {event["position"].partition("/")[0] for row in said["quarter_hours"] for event in row["events"]} == {
        "if.16.pemt-smgw"
    }


def test_known_before_it_was_recorded_is_not_known(twin):
    refused = twin("slots", POINT, DAY, "--known-at", "2026-03-30T00:00:00Z")
    assert refused.exit_code == 1
    assert f"nothing was known of {POINT} on {DAY} at 2026-03-30T00:00:00Z" in refused.stderr
    assert answer(twin("slots", POINT, DAY, "--known-at", "2100-01-01T00:00:00Z", "--json")) == answer(
        twin("slots", POINT, DAY, "--json")
    )


def test_an_unknown_point_is_answered_with_near_names(twin):
    refused = twin("slots", "GS-00000", DAY)
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert f"points of that name: {POINT}" in refused.stderr


@pytest.mark.parametrize(
    ("point", "day", "sentence"),
    [
        ("10Y1001A1001A82H", DAY, "its price.day-ahead is in the view slot_value_v1 (`twin sql`), but no energy"),
        (POINT, "2026-05-01", f"nothing is known of {POINT} on 2026-05-01, only on other days"),
        (
            "d:_n:Gegenstrom_GS-00000",
            DAY,
            "the same wallbox is GS-00000/1 and DE*GGS*E00000*1; its power was measured in ",
        ),
        ("nobody", DAY, "`twin actors` lists who there is"),
    ],
)
def test_a_point_without_energy_that_day_says_where_to_look(twin, point, day, sentence):
    refused = twin("slots", point, day)
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert sentence in refused.stderr


def test_json_and_csv_are_not_asked_for_at_once(twin):
    refused = twin("slots", POINT, DAY, "--json", "--csv")
    assert refused.exit_code == 2
    assert "ask for one of them" in refused.stderr


def test_only_an_ordinary_file_in_a_folder_that_is_there_is_written(twin, tmp_path):
    device = tmp_path / "device"
    os.mkfifo(device)
    refused = twin("slots", POINT, DAY, "--parquet", device)
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert f"{device} is no ordinary file" in refused.stderr
    assert device.is_fifo(), "it is still what it was"
    refused = twin("slots", POINT, DAY, "--parquet", tmp_path / "new" / "day.parquet")
    assert (refused.exit_code, f"there is no folder {tmp_path / 'new'}" in refused.stderr) == (2, True)


def test_a_day_of_which_every_document_is_cancelled_says_so(twin, street):
    malo, msb, supplier = "41373559241", "9900987654329", "9904628000007"
    start_us, sent_us = parse_time("2026-06-30T22:00:00Z"), parse_time("2026-07-02T06:00:00Z")
    values = [["220", Decimal(1), start_us, start_us + SLOT_US]]
    location = profile(malo, "malo", [("1-1:1.29.0", values)], (start_us, start_us + SLOT_US))
    said = message_of(13025, "S-1", sent_us, sender=msb, receiver=supplier, locations=[location])
    withdrawal = cancellation("S-1", "S-2", sent_us + SLOT_US, sender=msb, receiver=supplier)
    for message, code in ((said, 0), (withdrawal, 1)):
        assert (
            twin("ingest", "-", "--interface", "32", stdin=encode_interchange([message], reference="R")).exit_code == 0
        )
        street.written()
        shown = twin("slots", malo, "2026-07-01")
        assert shown.exit_code == code, shown.output
    assert f"what documents said of {malo} on 2026-07-01 is cancelled; --known-at shows" in shown.stderr
