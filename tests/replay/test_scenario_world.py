"""The physical world of the scenario: exact, bounded, the same every time."""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from replay.scenario import home_battery
from replay.scenario.draws import Draws
from replay.scenario.plan import LIMIT_MW, plan_day
from replay.scenario.street import Street
from replay.scenario.world import first_state, least_mws, plugged_in, walk

SPRING, AUTUMN, SUMMER, WINTER = date(2026, 3, 29), date(2026, 10, 25), date(2026, 6, 20), date(2026, 1, 15)
DAYS = [SPRING, AUTUMN, SUMMER, WINTER]
REGISTERS = (
    "import_mws",
    "export_mws",
    "charged_mws",
    "discharged_mws",
    "generated_mws",
    "home_charged_mws",
    "home_discharged_mws",
)
FIELDS = (*REGISTERS, "soc_mws", "home_stored_mws")


def quarters_of(day, sites=24, seed=7):
    street = Street(seed, sites)
    plan = plan_day(street, day)
    return street, plan, list(walk(street, plan, first_state(street)))


@pytest.mark.parametrize(("day", "count"), [(SPRING, 92), (AUTUMN, 100), (SUMMER, 96)])
def test_a_day_has_as_many_quarter_hours_as_the_law_gives_it(day, count):
    _, plan, quarters = quarters_of(day)
    assert len(quarters) == len(plan.slots) == len(plan.prices_cent) == count
    assert [quarter.start_us for quarter in quarters] == list(plan.slots)


@pytest.mark.parametrize("day", DAYS)
def test_energy_is_conserved_exactly_at_every_site(day):
    _, _, quarters = quarters_of(day)
    for quarter in quarters:
        crossed = np.diff(quarter.import_mws) - np.diff(quarter.export_mws)
        used = quarter.load_mw + quarter.heat_pump_mw + quarter.charge_mw + quarter.home_charge_mw
        given = quarter.discharge_mw + quarter.pv_mw + quarter.home_discharge_mw
        assert np.array_equal(crossed, (used - given) * 60)
        assert np.array_equal(np.diff(quarter.charged_mws), quarter.charge_mw * 60)
        assert np.array_equal(np.diff(quarter.discharged_mws), quarter.discharge_mw * 60)
        assert np.array_equal(np.diff(quarter.generated_mws), quarter.pv_mw * 60)
        assert np.array_equal(np.diff(quarter.home_charged_mws), quarter.home_charge_mw * 60)
        assert np.array_equal(np.diff(quarter.home_discharged_mws), quarter.home_discharge_mw * 60)


@pytest.mark.parametrize("day", DAYS)
def test_registers_go_on_where_they_stood_and_never_run_backwards(day):
    _, _, quarters = quarters_of(day)
    for before, after in pairwise(quarters):
        for field in FIELDS:
            assert np.array_equal(getattr(before, field)[:, -1], getattr(after, field)[:, 0])
    for field in REGISTERS:
        assert all((np.diff(getattr(quarter, field)) >= 0).all() for quarter in quarters)


@pytest.mark.parametrize("day", DAYS)
def test_the_state_of_charge_stays_within_the_battery(day):
    street, _, quarters = quarters_of(day)
    for quarter in quarters:
        assert (quarter.soc_mws >= least_mws(street)[:, None]).all()
        assert (quarter.soc_mws <= street.battery_mws[:, None]).all()
        assert (quarter.home_stored_mws >= home_battery.least_mws(street)[:, None]).all()
        assert (quarter.home_stored_mws <= street.home_battery_mws[:, None]).all()


@pytest.mark.parametrize("day", DAYS)
def test_power_is_never_negative_and_within_the_devices(day):
    street, _, quarters = quarters_of(day)
    for quarter in quarters:
        for field in (
            "load_mw",
            "heat_pump_mw",
            "pv_mw",
            "charge_mw",
            "discharge_mw",
            "home_charge_mw",
            "home_discharge_mw",
        ):
            assert (getattr(quarter, field) >= 0).all()
        assert (quarter.home_charge_mw <= street.home_battery_mw[:, None]).all()
        assert (quarter.home_discharge_mw <= street.home_battery_mw[:, None]).all()
        assert (quarter.charge_mw <= street.wallbox_mw[:, None]).all()
        assert (quarter.discharge_mw <= street.discharge_mw[:, None]).all()
        assert (quarter.pv_mw <= street.pv_peak_mw[:, None]).all()


def test_a_car_on_the_road_neither_charges_nor_discharges():
    _, plan, quarters = quarters_of(SUMMER, sites=120)
    away_minutes = 0
    for minute in range(plan.minutes):
        quarter, column = quarters[minute // 15], minute % 15
        away = plugged_in(plan, minute) == 0
        away_minutes += int(away.sum())
        assert not (quarter.charge_mw[away, column] + quarter.discharge_mw[away, column]).any()
    assert away_minutes > 10_000


def test_section_14a_leaves_each_device_at_most_4_2_kw_for_one_hour():
    street, plan, quarters = quarters_of(WINTER, sites=240)
    limited = [quarter for quarter in quarters if quarter.limited.any()]
    assert [plan.local_minute[quarter.number * 15] for quarter in limited] == [1080, 1095, 1110, 1125]
    for quarter in limited:
        under = quarter.limited == 1
        assert np.array_equal(under, street.limited == 1)
        assert (quarter.charge_mw[under] <= LIMIT_MW).all()
        assert (quarter.heat_pump_mw[under] <= LIMIT_MW).all()
    assert any((quarter.charge_mw[quarter.limited == 1] > LIMIT_MW * 98 // 100).any() for quarter in limited)


def test_cars_give_back_in_the_evening_when_quarter_hours_are_dear():
    _, plan, quarters = quarters_of(SUMMER)
    giving = [quarter for quarter in quarters if quarter.discharge_mw.any()]
    assert giving
    mean = plan.prices_cent.mean()
    for quarter in giving:
        assert plan.prices_cent[quarter.number] > mean
        assert 16 * 60 <= plan.local_minute[quarter.number * 15] < 22 * 60


@pytest.mark.parametrize("day", DAYS)
def test_prices_are_below_zero_at_noon_and_only_there(day):
    _, plan, _ = quarters_of(day, sites=1)
    below = [int(plan.local_minute[slot * 15]) for slot in range(len(plan.slots)) if plan.price(slot) < 0]
    assert {minute for minute in below if 720 <= minute < 900} == set(range(720, 900, 15))
    assert all(9 * 60 <= minute < 16 * 60 for minute in below)


@pytest.mark.parametrize("day", DAYS)
def test_a_home_battery_loses_a_twentieth_each_way_and_nothing_else(day):
    """To the rounding of each minute, one milliwatt-second a step."""
    _, _, quarters = quarters_of(day)
    for quarter in quarters:
        gained = np.diff(quarter.home_stored_mws) * 950
        expected = quarter.home_charge_mw * 60 * 950 * 950 // 1000 - quarter.home_discharge_mw * 60 * 1000
        assert (np.abs(gained - expected) <= 950).all()
        assert not (quarter.home_charge_mw * quarter.home_discharge_mw).any()


@pytest.mark.parametrize("day", DAYS)
def test_a_home_battery_takes_only_what_the_roof_leaves_and_feeds_nothing_into_the_grid(day):
    street, _, quarters = quarters_of(day)
    without = street.home_battery_mws == 0
    for quarter in quarters:
        charges, gives = quarter.home_charge_mw > 0, quarter.home_discharge_mw > 0
        assert (quarter.home_charge_mw <= quarter.pv_mw).all()
        assert (quarter.grid_mw[charges] <= 0).all()
        assert (quarter.grid_mw[gives] >= 0).all()
        assert not (charges | gives)[without].any()


def test_home_batteries_fill_by_day_and_give_in_the_evening():
    street, plan, quarters = quarters_of(SUMMER)
    houses = np.flatnonzero(street.home_battery_mws)
    charged, given = np.zeros(24, dtype=np.int64), np.zeros(24, dtype=np.int64)
    for quarter in quarters:
        hour = plan.local_minute[quarter.number * 15] // 60
        charged[hour] += quarter.home_charge_mw.sum()
        given[hour] += quarter.home_discharge_mw.sum()
    assert len(houses) == 4
    assert charged[8:18].sum() > 9 * charged[18:].sum()
    assert charged[:5].sum() == charged[22:].sum() == 0
    assert min(given[22:]) > 0


def test_a_site_is_the_same_in_a_short_street_and_in_a_long_one():
    _, _, short = quarters_of(AUTUMN, sites=5)
    _, _, long = quarters_of(AUTUMN, sites=50)
    for few, many in zip(short, long, strict=True):
        for field in FIELDS:
            assert np.array_equal(getattr(few, field), getattr(many, field)[:5])


def test_another_seed_is_another_street():
    _, _, one = quarters_of(SUMMER, seed=1)
    _, _, other = quarters_of(SUMMER, seed=2)
    assert not np.array_equal(one[-1].import_mws, other[-1].import_mws)


def test_the_clock_on_the_wall_leaves_out_or_repeats_the_hour_after_two():
    _, spring, _ = quarters_of(SPRING, sites=1)
    _, autumn, _ = quarters_of(AUTUMN, sites=1)
    assert not [minute for minute in spring.local_minute if 120 <= minute < 180]
    assert len([minute for minute in autumn.local_minute if 120 <= minute < 180]) == 120
    assert spring.local_minute[-1] == autumn.local_minute[-1] == 1439


def test_trips_keep_their_place_on_the_wall_clock_when_the_clock_is_set():
    for day in (SPRING, AUTUMN, SPRING + timedelta(days=7)):
        plan = plan_day(Street(1, 200), day)
        leaves = plan.local_minute[plan.away_from[plan.away_from >= 0]]
        assert leaves.min() >= 9 * 60
        assert leaves.max() < 12 * 60


@pytest.mark.parametrize("sites", [0, -1, 10_001])
def test_a_street_without_sites_or_with_too_many_is_refused(sites):
    with pytest.raises(ValueError, match="1 to 10000 sites"):
        Street(1, sites)


def test_chance_is_even_and_does_not_depend_on_how_much_is_asked_at_once():
    draws = Draws(3)
    many = draws.between("dice", 1, 7, np.arange(60_000))
    assert np.bincount(many)[1:].min() > 9_500
    assert draws.one("dice", 1, 7, 41) == many[41]
    with pytest.raises(ValueError, match="no number lies"):
        draws.between("dice", 5, 5, 1)
