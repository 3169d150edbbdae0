"""The views for readers agree with what the program says."""

from decimal import Decimal

import psycopg
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from schemas.facts import INDICATIVE, MEASURED, PRELIMINARY, QUALITIES, Facts, Reading
from schemas.rows import split_position
from schemas.time import SECOND_US, SLOT_US, format_time, to_us
from streams import lookups
from tests.replay.made_days import DAY, day, event, live
from twin.slots import quarter_hours

FEW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
KWH = 1_000_000
SLOTS = range(DAY.start_us, DAY.start_us + 8 * SLOT_US, SLOT_US)


def rows(url, schema, query, *values):
    with lookups.connected(url, schema) as connection:
        return connection.execute(query, values).fetchall()


def test_a_quality_has_the_same_word_everywhere(database_url, schema):
    names = rows(database_url, schema, "select quality_name(n::smallint) from generate_series(0, 6) as n order by n")
    assert [name for (name,) in names] == [*QUALITIES, None]


def test_the_twin_with_names_is_the_twin(database_url, schema):
    live(database_url, schema, day(60))
    found = rows(
        database_url,
        schema,
        "select attribute, value, unit, at, replace(event_id::text, '-', ''), topic_number, topic_partition, "
        "topic_offset from twin_v1 where actor = 'meter:1' order by attribute",
    )
    known = lookups.twin(database_url, schema, "meter:1")
    assert [(name, value, unit, to_us(at), *rest) for name, value, unit, at, *rest in found] == [
        (seen.attribute, seen.value, seen.unit, seen.time_us, seen.event_id, *split_position(seen.position))
        for seen in known
    ]
    assert len(found) == 3


def test_slot_values_with_names_are_the_slot_values(database_url, schema):
    live(database_url, schema, day(60))
    found = rows(
        database_url, schema, "select series, value, unit, quality, version from slot_value_v1 where object = 'DE-LU'"
    )
    known = lookups.slot_values(database_url, schema, "DE-LU", DAY.start_us, DAY.end_us)
    assert sorted(found) == sorted((v.series, Decimal(v.value), v.unit, v.quality, v.version) for v in known) != []


near_edges = st.tuples(
    st.integers(0, 8),
    st.one_of(st.integers(-11, 11).map(lambda s: s * SECOND_US), st.sampled_from([-9_000_001, 9_000_001])),
    st.integers(0, 9 * KWH),
)
anywhere = st.tuples(st.integers(0, 7), st.integers(0, SLOT_US - 1), st.integers(0, 9 * KWH))
far_apart = st.tuples(st.integers(0, 8), st.just(0), st.sampled_from([0, 69 * KWH, 69 * KWH + 1]))
claims = st.lists(st.one_of(near_edges, near_edges, anywhere, far_apart), max_size=14)


@given(
    st.dictionaries(
        st.tuples(
            st.sampled_from(["P", "Q"]),
            st.sampled_from([MEASURED, PRELIMINARY, INDICATIVE]),
            st.sampled_from(["", "2026-04-01T00:00:00Z|9900|X1"]),
        ),
        claims,
        min_size=1,
        max_size=3,
    )
)
@example(
    {("P", MEASURED, ""): [(0, 0, 0), (1, 0, 0), (1, 0, 69 * KWH), (1, SECOND_US, 0)]}
)  # contested, one beside not
@FEW
def test_quarter_hours_of_a_register_in_sql_are_those_of_the_rules(database_url, schema, said):
    """Wherever both edges rest on a reading of their own, and nothing else is to be weighed."""
    readings = [
        Reading(point, "meter", "1-0:1.8.0", "import", slot * SLOT_US + DAY.start_us + off_us, mwh, quality, document)
        for (point, quality, document), claimed in said.items()
        for slot, off_us, mwh in claimed
    ]
    with psycopg.connect(database_url) as connection:
        connection.execute(f"truncate {schema}.edge, {schema}.register")
    live(database_url, schema, [(event(1, DAY.start_us), 1, Facts(readings=readings))])
    found = rows(
        database_url, schema, "select point, quality, document, slot, energy_mwh from register_quarter_hour_v1"
    )
    edges = [edge for point in "PQ" for edge in lookups.edges(database_url, schema, point, SLOTS[0], SLOTS[-1])]
    expected = []
    for register in {edge.register for edge in edges}:
        own = [edge for edge in edges if edge.register == register]
        expected += [
            (register.point, register.quality, register.document, quarter.slot_us, quarter.value_mwh)
            for quarter in quarter_hours(own, range(SLOTS[0] - 4 * SLOT_US, SLOTS[-1] + 4 * SLOT_US, SLOT_US))
            if quarter.value_mwh is not None and not quarter.flags
            if len(quarter.start) == len(quarter.end) == 1 and quarter.start != quarter.end
        ]
    assert sorted((*name, to_us(slot), energy) for *name, slot, energy in found) == sorted(expected)


def test_a_plain_day_in_sql(database_url, schema):
    readings = [
        Reading("P", "meter", "1-0:2.8.0", "export", DAY.start_us + n * SLOT_US, n * n * 1000, MEASURED)
        for n in range(93)
        if n != 40
    ]
    live(database_url, schema, [(event(1, DAY.start_us), 1, Facts(readings=readings))])
    found = rows(
        database_url,
        schema,
        "select count(*), sum(energy_mwh) from register_quarter_hour_v1 "
        "where point = 'P' and direction = 'export' and slot >= %s and slot < %s",
        format_time(DAY.start_us),
        format_time(DAY.end_us),
    )
    assert found == [(90, 92 * 92 * 1000 - (41 * 41 - 39 * 39) * 1000)]
