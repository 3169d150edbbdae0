"""The archive keeps messages and facts, in segments that are complete or absent."""

import hashlib
from decimal import Decimal

import pyarrow.parquet as pq
import pytest

from schemas.time import SLOT_US
from streams.archive import segment
from streams.archive.layout import Archive, ArchiveBusy, Manifest, Range
from streams.archive.segment import OpenSegment
from tests.replay.made_days import DAY, TOPIC, archived, day, event, said


@pytest.fixture
def archive(tmp_path):
    return Archive(tmp_path)


def rows(archive, kind, number=0):
    return pq.read_table(archive.file(number, kind)).to_pylist()


def test_every_message_is_kept_with_its_bytes(archive):
    events = day(50)
    archived(archive, events)
    kept = {row["offset"]: row for row in rows(archive, "messages")}
    for made, _, _ in events:
        row = kept[made.offset]
        assert (row["event_id"].hex(), row["raw"], row["actor"]) == (made.id, made.raw, made.actor)
        assert (row["time_us"], row["recorded_us"]) == (made.time_us, made.recorded_us)
        assert (row["payload"], row["context"]) == (f'{{"number":{made.offset}}}', '{"direction":"up"}')


def test_messages_are_sorted_by_actor_and_time(archive):
    archived(archive, day(50)[::-1])
    kept = [(row["actor"], row["time_us"]) for row in rows(archive, "messages")]
    assert kept == sorted(kept)


def test_a_segment_of_many_batches_keeps_each_message_whole_in_row_groups_of_bounded_size(archive, monkeypatch):
    for name, size in (("_PACK_EVENTS", 7), ("_PICKED_ROWS", 5), ("_GROUP_MESSAGES", 20), ("_GROUP_BYTES", 500)):
        monkeypatch.setattr(segment, name, size)
    events = day(60)
    events[30] = (events[30][0]._replace(raw=b"x" * 2000), *events[30][1:])
    archived(archive, events[::-1])

    file = pq.ParquetFile(archive.file(0, "messages"))
    groups = [file.read_row_group(number).to_pylist() for number in range(file.num_row_groups)]
    weights = [sum(len(row["raw"]) + len(row["payload"]) + len(row["context"]) for row in rows) for rows in groups]

    assert [(row["actor"], row["time_us"], row["event_id"].hex(), row["raw"]) for rows in groups for row in rows] == (
        sorted((made.actor, made.time_us, made.id, made.raw) for made, _, _ in events)
    )
    assert [len(rows) for rows, weight in zip(groups, weights, strict=True) if weight > 500] == [1]
    assert max(map(len, groups)) <= 20
    assert len(groups) < 60


def test_readings_stand_with_their_names_sorted_by_register_and_time(archive):
    archived(archive, day(50))
    kept = rows(archive, "readings")
    assert [(row["register_id"], row["time_us"]) for row in kept] == sorted(
        (row["register_id"], row["time_us"]) for row in kept
    )
    assert sorted(
        (row["point"], row["direction"], row["time_us"], row["value_mwh"], row["digits"]) for row in kept
    ) == sorted(
        (reading.point, reading.direction, reading.time_us, reading.value_mwh, reading.digits)
        for _, _, facts in day(50)
        for reading in facts.readings
    )


def test_values_of_observations_and_slots_are_exact(archive):
    big = said(1, DAY.start_us)
    big[2].observations[0] = big[2].observations[0]._replace(value=Decimal("12345678901234567890.10"))
    big[2].slot_values[0] = big[2].slot_values[0]._replace(value=Decimal("-40.250000000000000000001"))
    archived(archive, [big])
    values = {row["attribute"]: row["value_json"] for row in rows(archive, "observations")}
    assert values["power"] == "12345678901234567890.1"
    assert values["status"] == '"idle"'
    assert "-40.250000000000000000001" in {row["value"] for row in rows(archive, "slot_values")}


def test_the_latest_message_of_each_quarter_hour_stands_among_the_observations(archive):
    archived(archive, [said(number, DAY.start_us + number) for number in range(5)] + [said(9, DAY.start_us + SLOT_US)])
    kept = [row for row in rows(archive, "observations") if row["attribute"] == "last_message"]
    assert [(row["actor"], row["time_us"] - DAY.start_us) for row in kept] == [
        ("interface:15", 4),
        ("interface:15", SLOT_US),
    ]


def test_the_manifest_names_counts_offsets_times_and_checksums(archive):
    manifest = archived(archive, day(50)).manifests()[0]
    assert manifest.events == 50
    assert manifest.offsets == (Range(TOPIC, 0, 0, 50),)
    assert manifest.time_us.first_us == DAY.start_us
    assert manifest.part("readings").rows == 100
    for kind, part in manifest.files.items():
        data = archive.file(0, kind).read_bytes()
        assert (part.bytes, part.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_the_next_segment_starts_where_the_last_ended(archive):
    archived(archive, day(50)[:20], day(50)[20:])
    assert archive.next_offsets() == {(TOPIC, 0): 50}
    assert [manifest.number for manifest in archive.manifests()] == [0, 1]


def test_a_segment_without_manifest_is_not_there_and_is_cleaned_away(archive):
    archived(archive, day(5))
    (archive.segment(1)).mkdir()
    (archive.segment(1) / "readings.parquet").write_bytes(b"half")
    (archive.segment(1).parent / "7").mkdir()  # no name of a segment: not ours to clean away
    assert [manifest.number for manifest in archive.manifests()] == [0]
    assert archive.next_number() == 1
    assert archive.clean() == [1]
    assert not archive.segment(1).exists()
    assert (archive.segment(1).parent / "7").exists()


def test_only_one_archiver_holds_a_folder(archive):
    with archive.locked(), pytest.raises(ArchiveBusy), Archive(archive.folder.parent).locked():
        pass


def test_a_newer_manifest_is_refused(archive):
    text = archived(archive, day(5)).manifests()[0].to_json().replace(b'"format": 1', b'"format": 99')
    with pytest.raises(ValueError, match="format 99"):
        Manifest.from_json(text)


def test_an_empty_segment_covers_offsets_all_the_same(archive):
    segment = OpenSegment()
    segment.cover(TOPIC, 3, 7, 9)
    segment.gaps.append(Range(TOPIC, 3, 0, 7))
    manifest = segment.write(archive, 0)
    assert (manifest.events, manifest.time_us, manifest.gaps[0].end) == (0, None, 7)
    assert archive.next_offsets() == {(TOPIC, 3): 9}


def test_a_message_without_time_is_kept(archive):
    segment = OpenSegment()
    segment.add(event(1, DAY.start_us)._replace(time_us=None, log_time_us=None), 1)
    segment.write(archive, 0)
    assert rows(archive, "messages")[0]["time_us"] is None
