"""Every written file goes through the real decoders without an error, and says what the truth says."""

import csv
from collections import defaultdict
from datetime import date

import pytest

from replay.scenario import NO_FAULTS, write_day
from replay.scenario.plan import plan_day
from replay.scenario.street import Street
from replay.scenario.world import plugged_in
from replay.scenario.writers.tariff import consumer_price
from schemas.calendar import day_of
from schemas.facts import Facts
from schemas.time import MINUTE_US, SECOND_US, format_time, parse_time
from streams.points import adopt
from streams.reader import Rejected, read
from twin.observe import observe
from twin.slots import best_of

DAYS = [date(2026, 3, 29), date(2026, 10, 25)]
ON_EDGE_US = 9 * SECOND_US


@pytest.fixture(scope="module", params=DAYS, ids=str)
def decoded(request, tmp_path_factory):
    """Folder, events by interface, rejected ones, facts by interface."""
    out = tmp_path_factory.mktemp("day")
    written = write_day(request.param, out)
    events, rejected, facts = defaultdict(list), [], defaultdict(Facts)
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setenv("TWIN_HOME", str(tmp_path_factory.mktemp("home")))
    request.addfinalizer(monkeypatch.undo)  # noqa: PT021 -- the folder of the day is what is given
    for path in written.files:
        interface = path.parent.name.lstrip("0")
        adopt([path], interface)
        for outcome in read(path, interface):
            if isinstance(outcome, Rejected):
                rejected.append(outcome)
                continue
            events[interface].append(outcome)
            observe(outcome, facts[interface])
    return out, written, events, rejected, facts


def truth_of(folder, name):
    with (folder / "truth" / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_nothing_is_rejected_and_every_message_is_known(decoded):
    _, written, events, rejected, facts = decoded
    assert [(outcome.interface, outcome.reason, outcome.detail) for outcome in rejected[:3]] == []
    assert {interface: len(found) for interface, found in events.items()} == written.messages
    assert not [event for found in events.values() for event in found if event.format == "undecoded"]
    assert [reject for found in facts.values() for reject in found.rejects] == []


@pytest.mark.parametrize("interface", ["4", "8", "15", "16"])
def test_registers_read_on_an_edge_are_the_true_ones(decoded, interface):
    out, _, _, _, facts = decoded
    edges = {(row["point"], row["direction"], row["time"]): row["value_mwh"] for row in truth_of(out, "registers.csv")}
    first_us = min(parse_time(time) for _, _, time in edges)
    compared = 0
    for reading in facts[interface].readings:
        edge_us = (reading.time_us + ON_EDGE_US) // (900 * SECOND_US) * 900 * SECOND_US
        if abs(reading.time_us - edge_us) <= ON_EDGE_US and edge_us >= first_us:
            point = reading.point.removesuffix("@signed")
            assert str(reading.value_mwh) == edges[point, reading.direction, format_time(edge_us)]
            compared += 1
    assert compared > 1000


@pytest.mark.parametrize("interface", ["4", "8", "15", "16"])
def test_quarter_hours_from_the_readings_are_true_within_the_stated_bound(decoded, interface):
    out, _, _, _, facts = decoded
    readings = defaultdict(dict)
    for reading in facts[interface].readings:
        readings[reading.point, reading.direction][reading.time_us] = reading.value_mwh
    compared = bounded = 0
    for row in truth_of(out, "quarter_hours.csv"):
        known = readings.get((row["point"], row["direction"]))
        if known is None:
            continue
        slot_us, tolerance = parse_time(row["slot"]), int(row["tolerance_mwh"])
        begin, end = (edge_value(known, slot_us + late_us) for late_us in (0, 900 * SECOND_US))
        if tolerance == 0:
            assert end - begin == int(row["value_mwh"])
            compared += 1
        elif begin is not None and end is not None:
            assert abs(end - begin - int(row["value_mwh"])) <= tolerance
            bounded += 1
    assert compared > 1000
    assert interface != "15" or bounded > 90


def test_every_market_location_is_settled_with_its_true_quarter_hours(decoded):
    out, _, _, _, facts = decoded
    quarters = best_of([], facts["32"].slot_values, cancelled=cancelled_in(facts["32"]))
    found = {(quarter.point, quarter.direction, format_time(quarter.slot_us)): quarter for quarter in quarters}
    with (out / "truth" / "sites.csv").open(newline="") as file:
        sites = list(csv.DictReader(file))
    locations = {site["malo"] for site in sites} | {site["feed_in_malo"] for site in sites if site["feed_in_malo"]}
    expected = {
        (row["point"], row["direction"], row["slot"]): int(row["value_mwh"])
        for row in truth_of(out, "quarter_hours.csv")
        if row["point"] in locations
    }
    assert {key: quarter.value_mwh for key, quarter in found.items()} == expected
    assert {quarter.quality for quarter in quarters} == {"measured"}
    assert len({point for point, _, _ in expected}) == len(locations) > len(sites)


@pytest.mark.parametrize(("interface", "which"), [("19", "aggregated"), ("22", "aggregated"), ("30", "")])
def test_on_their_other_ways_the_quarter_hours_are_the_same(decoded, interface, which):
    out, _, _, _, facts = decoded
    found, billed = (
        {(quarter.point, quarter.direction, quarter.slot_us): quarter for quarter in best_of([], said.slot_values)}
        for said in (facts[interface], facts["32"])
    )
    sites = [site for site in truth_of(out, "sites.csv") if which in site["devices"]]
    assert {point for point, _, _ in found} == {site[kind] for site in sites for kind in ("malo", "feed_in_malo")} - {
        ""
    }
    assert {key: (one.value_mwh, one.quality) for key, one in found.items()} == {
        key: (billed[key].value_mwh, "measured") for key in found
    }
    assert not [quarter for quarter in best_of([], all_values(facts)) if quarter.flags]


def all_values(facts):
    """What all market messages of the day say."""
    return [value for interface in ("19", "22", "30", "32", "35") for value in facts[interface].slot_values]


def test_the_state_of_the_grid_is_told_every_hour_before_it_is_billed(decoded):
    out, _, events, _, facts = decoded
    limited = {site["melo"] for site in truth_of(out, "sites.csv") if "section 14a" in site["devices"]}
    expected = {
        (row["point"], row["direction"], parse_time(row["slot"])): int(row["value_mwh"])
        for row in truth_of(out, "quarter_hours.csv")
        if row["point"] in limited
    }
    values = facts["35"].slot_values
    assert {(v.object, v.series.removeprefix("energy."), v.slot_us): v.value for v in values} == expected
    assert {value.quality for value in values} == {"preliminary"}
    heard = {event.payload["document_time_us"] for event in events["35"]}
    assert len(heard) == len({slot_us for _, _, slot_us in expected}) // 4


def test_some_quarter_hours_were_substitutes_until_a_correction_came(decoded):
    _, _, _, _, facts = decoded
    versions = defaultdict(set)
    for value in facts["32"].slot_values:
        versions[value.object, value.slot_us].add((value.version, value.quality))
    corrected = [dict(sorted(said)) for said in versions.values() if len(said) > 1]
    assert {tuple(said.values()) for said in corrected} == {("measured", "measured"), ("substitute", "measured")}


def test_a_withdrawn_reading_leaves_the_one_that_was_sent_again(decoded):
    _, _, _, _, facts = decoded
    edges = {
        (row["point"], row["direction"], row["time"]): row["value_mwh"] for row in truth_of(decoded[0], "registers.csv")
    }
    cancelled = cancelled_in(facts["32"])
    wrong, right = sorted(facts["32"].readings, key=lambda reading: reading.document)
    true_mwh = int(edges[right.point, "import", format_time(right.time_us)])
    assert (wrong.value_mwh != true_mwh, right.value_mwh) == (True, true_mwh)
    assert cancelled == {wrong.document.partition("|")[2]}


def test_the_market_prices_are_those_of_the_plan(decoded):
    _, _, events, _, facts = decoded
    prices = {value.slot_us: value.value for value in facts["46"].slot_values}
    plan = plan_day(Street(1, 12), day_of(min(prices)))
    assert prices == {slot_us: plan.price(number) for number, slot_us in enumerate(plan.slots)}
    assert [event.actor for event in events["46"]] == ["energy-market:10Y1001A1001A82H"]


def test_the_tariff_is_what_a_household_pays_for_the_market_price(decoded):
    _, _, _, _, facts = decoded
    market = {value.slot_us: value.value for value in facts["46"].slot_values}
    paid = {value.slot_us: value.value for value in facts["45"].slot_values}
    assert paid == {slot_us: consumer_price(price) for slot_us, price in market.items()}
    assert {(value.series, value.unit) for value in facts["45"].slot_values} == {("price.tariff", "ct/kWh")}


def test_the_pool_is_settled_with_what_its_stations_counted(decoded):
    out, _, _, _, facts = decoded
    with (out / "truth" / "sites.csv").open(newline="") as file:
        stations = {f"{site['station']}/1" for site in csv.DictReader(file) if "aggregated" in site["devices"]}
    counted = defaultdict(int)
    for row in truth_of(out, "quarter_hours.csv"):
        if row["point"] in stations:
            counted[row["direction"], parse_time(row["slot"])] += int(row["value_mwh"])
    series = {"position.bought": "import", "position.sold": "export"}
    traded = {
        (series[value.series], value.slot_us): value.value
        for value in facts["23"].slot_values
        if value.series in series
    }
    assert traded.keys() == counted.keys()
    for key, value in traded.items():
        assert abs(value - counted[key]) < 1000 * len(stations)  # registers show whole or tenths of watt-hours
    assert {value.series for value in facts["23"].slot_values} > {"flexibility.max-power", "price.flexibility"}


def test_the_event_of_the_day_is_ordered_passed_on_and_confirmed(decoded):
    _, _, _, _, facts = decoded
    plan = plan_day(Street(1, 12), day_of(min(value.slot_us for value in facts["46"].slot_values)))
    limited = plan.minute_us(plan.limit_minutes.start)
    slots = {limited + number * 900 * SECOND_US for number in range(4)}
    told = {"20": 4, "29": 4, "10": 4, "9": 8}  # on 9 boxes say it of themselves and of their energy managers
    for interface, count in told.items():
        held = [value for value in facts[interface].slot_values if value.series == "limit.14a"]
        assert {value.slot_us for value in held} == slots
        assert len({value.object for value in held}) == count
    states = {said.value for said in facts["20"].observations if said.attribute == "limit_state"}
    assert states == {"ordered", "possible", "succeeded"}
    tunnels = [said.value for said in facts["10"].observations if said.attribute == "cls_tunnel"]
    assert sorted(tunnels) == ["closed"] * 8 + ["opened"] * 8


def test_the_limit_is_seen_along_its_whole_way_down_to_the_wallbox(decoded):
    """By site: ordered (20), passed on (29), told (10), in the house (9), and what the wallbox may carry (3)."""
    out, _, _, _, facts = decoded
    plan = plan_day(Street(1, 12), day_of(min(value.slot_us for value in facts["46"].slot_values)))
    start_us, stop_us = (plan.minute_us(minute) for minute in (plan.limit_minutes.start, plan.limit_minutes.stop))
    limited, plugged = [site for site in truth_of(out, "sites.csv") if "section 14a" in site["devices"]], 0
    for site in limited:
        box, hems = site["control_box"], f"d:_n:Gegenstrom_{site['hems']}"
        limit_w = 4200 * (1 + ("heat pump" in site["devices"]))
        on_the_way = (("20", f"sr:{site['resource']}"), ("29", f"control-box:{box}"), ("10", f"control-box:{box}"))
        orders = {
            order
            for number, actor in (*on_the_way, ("9", f"control-box:{box}"))
            for order in seen(facts, number, actor, "limit_order").values()
        }
        assert len(orders) == 1
        held = [seen(facts, number, actor, "limit") for number, actor in on_the_way]
        assert [list(values.values()) for values in held] == [[limit_w]] * 3
        active = seen(facts, "9", f"hems:{hems}", "lpc_limit_active")
        assert [value for time_us, value in sorted(active.items()) if start_us <= time_us < stop_us] == [True]
        [told_us] = [time_us for time_us, value in active.items() if value]
        assert seen(facts, "9", f"hems:{hems}", "lpc_limit")[told_us] == limit_w
        capped = seen(facts, "3", f"evse:d:_n:Gegenstrom_{site['station']}", "opev_limit_l1_active")
        switched = [(time_us // MINUTE_US * MINUTE_US, value) for time_us, value in sorted(capped.items())]
        if plugged_in(plan, plan.limit_minutes.start)[int(site["site"])]:
            assert switched == [(start_us, True), (stop_us, False)]
            plugged += 1
        currents = seen(facts, "3", f"evse:d:_n:Gegenstrom_{site['station']}", "opev_limit_l1")
        assert all(4199 < 3 * 230 * ampere <= 4200 for ampere in currents.values())
    assert plugged > 0
    assert len(limited) == 4


def seen(facts, interface, actor, attribute):
    """By time."""
    found = [entry for entry in facts[interface].observations if (entry.actor, entry.attribute) == (actor, attribute)]
    return {entry.time_us: entry.value for entry in found}


def cancelled_in(facts):
    return frozenset(
        f"{said.actor.partition(':')[2]}|{said.attribute.removeprefix('document/')}"
        for said in facts.observations
        if said.attribute.startswith("document/")
    )


def edge_value(known, edge_us):
    """The reading on the edge, else the line between its neighbours; None where there is none on one side."""
    near = [time_us for time_us in known if abs(time_us - edge_us) <= ON_EDGE_US]
    if near:
        return known[min(near, key=lambda time_us: abs(time_us - edge_us))]
    before = max((time_us for time_us in known if time_us < edge_us), default=None)
    after = min((time_us for time_us in known if time_us > edge_us), default=None)
    if before is None or after is None:
        return None
    return known[before] + (known[after] - known[before]) * (edge_us - before) // (after - before)


def test_without_faults_every_quarter_hour_is_exact(tmp_path):
    write_day(DAYS[0], tmp_path, faults=NO_FAULTS, sites=12)
    assert {row["tolerance_mwh"] for row in truth_of(tmp_path, "quarter_hours.csv")} == {"0"}
