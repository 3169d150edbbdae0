from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.calendar import day_of, day_slots, month_slots, parse_day, year_slots
from schemas.time import SLOT_US, parse_time

DAYS = st.dates(date(1996, 1, 1), date(2099, 12, 30))


@pytest.mark.parametrize(
    ("day", "slots", "start"),
    [
        ("2026-01-01", 96, "2025-12-31T23:00:00Z"),
        ("2026-03-29", 92, "2026-03-28T23:00:00Z"),
        ("2026-03-30", 96, "2026-03-29T22:00:00Z"),
        ("2026-10-25", 100, "2026-10-24T22:00:00Z"),
        ("2026-10-26", 96, "2026-10-25T23:00:00Z"),
    ],
)
def test_a_legal_day_begins_at_local_midnight_and_has_its_slots(day, slots, start):
    found = day_slots(parse_day(day))
    assert (len(found), found[0]) == (slots, parse_time(start))


@pytest.mark.parametrize(("month", "slots"), [(1, 2976), (2, 2688), (3, 2972), (10, 2980), (11, 2880), (12, 2976)])
def test_a_legal_month_has_its_slots(month, slots):
    assert len(month_slots(2026, month)) == slots


def test_a_year_has_35040_slots_and_a_leap_year_96_more():
    assert [len(year_slots(year)) for year in (2026, 2028)] == [35040, 35136]


def test_the_first_local_hour_of_a_month_belongs_to_the_new_month():
    assert month_slots(2026, 7)[0] == parse_time("2026-06-30T22:00:00Z")


@given(DAYS)
def test_days_follow_each_other_without_gap_and_overlap(day):
    assert day_slots(day)[-1] + SLOT_US == day_slots(day + timedelta(days=1))[0]


@given(DAYS)
def test_every_slot_of_a_day_lies_on_that_day(day):
    assert {day_of(slot) for slot in day_slots(day)} == {day}


@given(st.integers(1996, 2099), st.integers(1, 12))
def test_a_month_is_its_days(year, month):
    days = [date(year, month, 1) + timedelta(days=n) for n in range(31)]
    assert list(month_slots(year, month)) == [slot for day in days if day.month == month for slot in day_slots(day)]


@pytest.mark.parametrize(
    "text", ["", "2026-3-29", "20260329", "2026-W13-7", "29.03.2026", "2026-02-30", "2026-03-29T00:00", " 2026-03-29"]
)
def test_anything_but_a_plain_day_is_refused(text):
    with pytest.raises(ValueError, match=r"day|month"):
        parse_day(text)
