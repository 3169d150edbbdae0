"""Coordinated charging: what a vehicle wants and plans, limits it may plan within, what stays in the payload."""

from decimal import Decimal

import pytest

from schemas.time import HOUR_US, MINUTE_US, SLOT_US, format_time, parse_time
from schemas.wire.contract import Conversation, Frame, SchemaViolation
from schemas.wire.eebus import FORMAT
from schemas.wire.eebus.datagram import Address, Command, Datagram, encode_datagram, scaled
from tests.observe.test_observe_eebus import BOX, CEM, EV, HEMS, NOON_US, message, said_by, told

SERIES = message(
    "timeSeriesDescriptionListData",
    {
        "timeSeriesDescriptionData": [
            {"timeSeriesId": 1, "timeSeriesType": "constraints", "timeSeriesWriteable": True, "unit": "W"},
            {"timeSeriesId": 2, "timeSeriesType": "plan", "timeSeriesWriteable": False, "unit": "W"},
            {"timeSeriesId": 3, "timeSeriesType": "singleDemand", "timeSeriesWriteable": False, "unit": "Wh"},
        ]
    },
    "reply",
)
NOW = {"startTime": "PT0S"}


def slots(*steps, **more):
    """Slots of (duration, power)."""
    listed = [
        {"timeSeriesSlotId": number, "duration": duration, "maxValue": scaled(power), **more}
        for number, (duration, power) in enumerate(steps)
    ]
    return {"timeSeriesSlot": listed}


def series(number, slot_list, classifier="notify", period=NOW, **more):
    item = {"timeSeriesId": number, "timePeriod": period, **slot_list}
    return message("timeSeriesListData", {"timeSeriesData": [item]}, classifier, **more)


def quarters(facts):
    return {(value.series, value.object): None for value in facts.slot_values}, [
        ((value.slot_us - NOON_US) // MINUTE_US, value.value) for value in facts.slot_values
    ]


def test_a_demand_is_what_the_vehicle_wants_by_when():
    slot = {"duration": "PT7H30M", "minValue": scaled(4000), "value": scaled(16200), "maxValue": scaled(60000)}
    facts = said_by(SERIES, series(3, {"timeSeriesSlot": [slot]}))
    assert told(facts, BOX) == {
        "ev_requested_energy": 16200,
        "ev_min_energy": 4000,
        "ev_max_energy": 60000,
        "ev_departure": "2026-03-29T19:30:00Z",
    }


def test_a_demand_without_a_duration_says_no_departure_and_one_without_slots_nothing():
    facts = said_by(SERIES, series(3, {"timeSeriesSlot": [{"timeSeriesSlotId": 1, "value": scaled(Decimal("16.2"))}]}))
    assert told(facts) == {"ev_requested_energy": Decimal("16.2")}
    assert told(said_by(SERIES, series(3, {}))) == {}


def test_a_departure_beyond_all_calendars_is_none_and_the_rest_of_the_demand_holds():
    slot = {"duration": "P9999999D", "value": scaled(16200)}
    assert told(said_by(SERIES, series(3, {"timeSeriesSlot": [slot]}))) == {"ev_requested_energy": 16200}


def test_a_plan_with_a_step_that_ends_before_it_begins_is_rejected():
    facts = said_by(SERIES, series(2, slots(("PT1H", 11), ("-PT2H", 6))))
    assert (told(facts), facts.slot_values) == ({}, [])
    assert [reject.reason for reject in facts.rejects] == ["implausible-plan"]


def test_a_plan_is_told_at_the_beginning_of_every_quarter_hour():
    plan = slots(("PT22M37S", 11052), ("PT19M43S", 6526), ("P1D", 0))
    facts = said_by(SERIES, series(2, plan, period={"startTime": "PT1M"}))
    assert told(facts, BOX) == {
        "ev_schedule_limit": 11052,
        "ev_schedule_start": "2026-03-29T12:01:00Z",
        "ev_schedule_duration": 86400 + 42 * 60 + 20,
    }
    where, powers = quarters(facts)
    assert list(where) == [("schedule.profile", "Box")]
    assert powers[:4] == [(15, 11_052_000), (30, 6_526_000), (45, 0), (60, 0)]
    assert len(powers) == 2 + 96


def placed(start, end, power, **more):
    period = {name: edge for name, edge in (("startTime", start), ("endTime", end)) if edge}
    return {"timePeriod": period, "maxValue": scaled(power), **more}


def test_slots_lie_where_they_say_and_between_them_nothing_is_planned():
    plan = [
        placed("PT15M", "PT30M", 1),
        placed("2026-03-29T13:00:00Z", None, 2, duration="PT15M"),
        placed(None, "PT1H30M", 3),
        placed("PT1H45M", None, 4),
        placed("PT2H", "PT2H15M", 5),
    ]
    facts = said_by(SERIES, series(2, {"timeSeriesSlot": plan}))
    assert quarters(facts)[1] == [(15, 1000), (60, 2000), (75, 3000), (105, 4000), (120, 5000)]
    assert told(facts) == {
        "ev_schedule_limit": 1,
        "ev_schedule_start": "2026-03-29T12:15:00Z",
        "ev_schedule_duration": 2 * 3600,
    }


def test_a_slot_that_says_its_start_needs_no_end_before_it():
    plan = [{"maxValue": scaled(1)}, placed("PT1H", "PT75M", 2)]
    assert quarters(said_by(SERIES, series(2, {"timeSeriesSlot": plan})))[1][-2:] == [(45, 1000), (60, 2000)]


def test_slots_that_overlap_are_no_plan():
    plan = [placed("PT0S", "PT1H", 1), placed("PT30M", "PT2H", 2)]
    facts = said_by(SERIES, series(2, {"timeSeriesSlot": plan}))
    (reject,) = facts.rejects
    assert (told(facts), facts.slot_values, reject.reason) == ({}, [], "implausible-plan")
    assert "begins before the one before it ends" in reject.detail


def test_limits_of_a_plan_are_asked_for_then_hold_when_the_vehicle_accepts_them():
    written = series(1, slots(("PT1H", 11040), ("PT30M", 4200)), "write", source=CEM, to=EV, counter=7)
    asked = said_by(SERIES, written)
    assert told(asked, BOX) == told(asked, HEMS) == {"cevc_limit_requested": 11040}
    where, powers = quarters(asked)
    assert list(where) == [("schedule.limit.requested", "Box")]
    assert powers == [
        (0, 11_040_000),
        (15, 11_040_000),
        (30, 11_040_000),
        (45, 11_040_000),
        *((60, 4_200_000), (75, 4_200_000)),
    ]
    for error, answer in ((0, "accepted"), (7, "rejected")):
        result = message("resultData", {"errorNumber": error}, "result", reference=7)
        facts = said_by(SERIES, written, result)
        assert (told(facts, BOX)["cevc_limit_answer"], told(facts, BOX)["cevc_limit_error"]) == (answer, error)
        assert told(facts, BOX).get("cevc_limit") == (None if error else 11040)
        assert len(facts.slot_values) == (0 if error else 6)


def test_a_curve_its_owner_repeats_holds():
    facts = said_by(SERIES, series(1, slots(("PT1H", 11)), period={"startTime": "2026-03-29T13:00:00Z"}))
    assert told(facts, BOX) == {"cevc_limit": 11}
    assert [value.slot_us for value in facts.slot_values] == [NOON_US + HOUR_US + i * SLOT_US for i in range(4)]


def test_a_step_without_an_end_is_no_value_of_a_quarter_hour():
    facts = said_by(SERIES, series(2, {"timeSeriesSlot": [{"maxValue": scaled(4547)}]}))
    assert told(facts) == {"ev_schedule_limit": 4547, "ev_schedule_start": format_time(NOON_US)}
    assert facts.slot_values == []
    until = series(2, {"timeSeriesSlot": [{"maxValue": scaled(4547)}]}, period={**NOW, "endTime": "PT20M"})
    assert quarters(said_by(SERIES, until))[1] == [(0, 4_547_000), (15, 4_547_000)]


def test_a_plan_without_end_is_told_for_a_week():
    assert len(said_by(SERIES, series(2, slots(("P999D", 1), ("P999D", 2)))).slot_values) == 7 * 96


@pytest.mark.parametrize(
    ("number", "slot", "reason"),
    [
        (2, {"duration": "PT1H", "maxValue": scaled(-1)}, "implausible-plan"),
        (2, {"duration": "PT1H", "maxValue": {"number": 5, "scale": 9}}, "implausible-plan"),
        (1, {"duration": "PT1H", "maxValue": scaled(10**6 + 1)}, "implausible-plan"),
        (3, {"value": scaled(-5)}, "implausible-demand"),
    ],
)
def test_what_no_vehicle_plans_is_set_aside_with_its_reason(number, slot, reason):
    facts = said_by(SERIES, series(number, {"timeSeriesSlot": [slot]}))
    assert ([reject.reason for reject in facts.rejects], told(facts), facts.slot_values) == ([reason], {}, [])


def test_a_series_in_another_unit_is_not_believed():
    described = {"timeSeriesId": 2, "timeSeriesType": "plan", "unit": "A"}
    words = message("timeSeriesDescriptionListData", {"timeSeriesDescriptionData": [described]}, "reply")
    facts = said_by(words, series(2, slots(("PT1H", 16))))
    assert (told(facts), [reject.reason for reject in facts.rejects]) == ({}, ["implausible-plan"])


def test_a_series_without_its_description_is_missing_context():
    found = FORMAT.decode(Frame(series(2, slots(("PT1H", 1))), 0), Conversation("3"))
    assert "time series 2" in found.payload["context_missing"]


# What stays in the payload; facts of incentive tables are told in test_observe_eebus_incentives

TABLE = {
    "incentiveTable": [
        {
            "tariff": {"tariffId": 1, "activeTierId": [1]},
            "incentiveSlot": [
                {
                    "timeInterval": {"startTime": {"relative": "PT0S"}, "endTime": {"relative": "PT1H"}},
                    "tier": [
                        {
                            "tier": {"tierId": 1},
                            "boundary": [{"boundaryId": 1, "lowerBoundaryValue": {"number": 0, "scale": 0}}],
                            "incentive": [{"incentiveId": 1, "value": {"number": 31, "scale": -2}}],
                        }
                    ],
                }
            ],
        }
    ]
}
DESCRIPTION = {
    "incentiveTableDescription": [
        {
            "tariffDescription": {"tariffId": 1, "tariffWriteable": True, "scopeType": "simpleIncentiveTable"},
            "tier": [
                {
                    "tierDescription": {"tierId": 1, "tierType": "dynamicCost"},
                    "boundaryDescription": [{"boundaryId": 1, "boundaryType": "powerBoundary", "boundaryUnit": "W"}],
                    "incentiveDescription": [{"incentiveId": 1, "incentiveType": "absoluteCost", "currency": "EUR"}],
                }
            ],
        }
    ]
}
CONSTRAINTS = {
    "incentiveTableConstraints": [
        {
            "tariff": {"tariffId": 1},
            "tariffConstraints": {"maxTiersPerTariff": 3, "maxBoundariesPerTier": 1},
            "incentiveSlotConstraints": {"slotCountMax": 29},
        }
    ]
}
SLOTS = {"timeSeriesConstraintsData": [{"timeSeriesId": 1, "slotCountMax": 29, "slotDurationMin": "PT15M"}]}


@pytest.mark.parametrize("wire", [True, False])
@pytest.mark.parametrize(
    ("function", "data"),
    [
        ("incentiveTableData", TABLE),
        ("incentiveTableData", {"incentiveTable": []}),
        ("incentiveTableDescriptionData", DESCRIPTION),
        ("incentiveTableConstraintsData", CONSTRAINTS),
        ("timeSeriesConstraintsListData", SLOTS),
    ],
)
def test_incentives_and_constraints_are_kept_whole_in_either_form(function, data, wire):
    raw = encode_datagram(Datagram(EV, CEM, 1, None, "reply", NOON_US, [Command(function, data, [])]), wire=wire)
    found = FORMAT.decode(Frame(raw, 0), Conversation("3"))
    assert (found.type, found.actor) == (f"eebus.{function}", BOX)
    assert found.payload["commands"] == [{"function": function, "data": data}]
    assert told(said_by(raw)) == {}


@pytest.mark.parametrize(
    ("function", "data", "where"),
    [
        ("timeSeriesListData", {"timeSeriesData": [{"timePeriod": NOW}]}, "timeSeriesId"),
        ("timeSeriesListData", {"timeSeriesData": [{"timeSeriesId": 1}] * 101}, "timeSeriesData"),
        ("timeSeriesListData", {"timeSeriesData": [{"timeSeriesId": 1, **slots(("2 h", 1))}]}, "duration"),
        ("incentiveTableData", {"incentiveTable": [{"incentiveSlot": []}]}, "tariff"),
        (
            "incentiveTableData",
            {
                "incentiveTable": [
                    {
                        "tariff": {"tariffId": 1},
                        "incentiveSlot": [{"timeInterval": {"startTime": {"relative": "soon"}}}],
                    }
                ]
            },
            "relative",
        ),
    ],
)
def test_bad_series_and_tables_are_named(function, data, where):
    raw = message(function, data)
    with pytest.raises(SchemaViolation) as problem:
        FORMAT.decode(Frame(raw, 0), Conversation("3"))
    assert where in problem.value.detail


def test_relative_times_of_a_plan_are_no_time_of_its_message():
    later_us = parse_time("2026-03-29T20:00:00Z")
    raw = message("timeSeriesListData", {"timeSeriesData": [{"timeSeriesId": 2, **slots(("PT15M", 9))}]}, time_us=None)
    assert FORMAT.decode(Frame(raw, 0, later_us), Conversation("3")).time_us == later_us


def test_a_description_explains_no_series_of_another_outlet():
    other = Address("Box", (2, 1), 3)
    raw = series(2, slots(("PT1H", 1)), source=other)
    assert told(said_by(SERIES, raw)) == {}
