"""One moment, told on every interface: meter, gateway, station and cable agree, because the world is one."""

from collections import defaultdict
from datetime import date

import pytest

from replay.scenario import NO_FAULTS, write_day
from replay.scenario.names import names_of
from replay.scenario.plan import plan_day
from replay.scenario.stays import stays_of
from replay.scenario.street import MWS_PER_MWH, Street
from replay.scenario.world import first_state, walk
from replay.scenario.writers.exi import speaking
from replay.scenario.writers.exi_din import RECTIFIED_PERMILLE
from schemas.facts import Facts
from schemas.time import MINUTE_US, SLOT_US
from streams.exi import is_available
from streams.reader import read
from twin.observe import observe

DAYS = [date(2026, 3, 29), date(2026, 10, 25)]
SITES, SEED = 12, 1
CABLE, STATION, METER, GATEWAY, HAN = "1", "4", "15", "16", "47"
WH_MWH = 1000
METER_STEP_MWH = 100

pytestmark = pytest.mark.skipif(not is_available(), reason="no EXI codec here")


class Told:
    """What was said of every edge of a quarter hour, by interface: registers by point, powers and charge by actor."""

    def __init__(self, folder, day):
        self.street = Street(SEED, SITES)
        self.plan = plan_day(self.street, day)
        self.edges = [*self.plan.slots, self.plan.end_us]
        self.quarters = list(walk(self.street, self.plan, first_state(self.street)))
        self.stays = stays_of(self.street, self.plan)
        self.registers, self.said = defaultdict(dict), defaultdict(dict)
        write_day(day, folder, sites=SITES, seed=SEED, sml_interval_s=900, ocpp_interval_s=900, faults=NO_FAULTS)
        for interface in (CABLE, STATION, METER, GATEWAY, HAN):
            for event in read(folder / interface.zfill(2), interface):
                facts = Facts()
                observe(event, facts)
                self._keep(interface, facts)

    def _keep(self, interface, facts):
        for reading in facts.readings:
            key = (reading.point, reading.direction, reading.time_us)
            self.registers[interface].setdefault(key, reading.value_mwh)
        for seen in facts.observations:
            if seen.time_us % SLOT_US < MINUTE_US:  # within it no power changes
                key = (seen.actor, seen.attribute, seen.time_us - seen.time_us % SLOT_US)
                self.said[interface].setdefault(key, seen.value)

    def moments_on_cables(self, *, direct_current=False):
        """Names, number of the moment and its time, wherever a car that speaks is plugged in."""
        for site in speaking(self.street, SITES):
            if self.street.household(site).direct_current != direct_current:
                continue
            for number, edge_us in enumerate(self.edges):
                if self.stays[site].plugged(edge_us):
                    yield names_of(self.street, site), number, edge_us

    def house_mwh(self, number, site):
        """What is used at a site in a quarter hour beside its car, less what its roof and battery give."""
        house_mw = self.quarters[number].house_mw[site]
        return int(house_mw.sum()) * 60 // MWS_PER_MWH

    def world(self, number):
        """The quarter hour that begins at a moment and the minute; the last moment is the end of the last one."""
        return (self.quarters[number], 0) if number < len(self.quarters) else (self.quarters[-1], 14)


@pytest.fixture(scope="module", params=DAYS, ids=str)
def told(request, tmp_path_factory):
    return Told(tmp_path_factory.mktemp("day"), request.param)


def test_gateway_and_han_show_what_the_meter_shows(told):
    compared = 0
    for site in range(SITES):
        names = names_of(told.street, site)
        for direction in ("import", "export"):
            for edge_us in told.edges:
                shown_mwh = told.registers[METER][names.meter, direction, edge_us]
                assert told.registers[HAN][names.meter, direction, edge_us] == shown_mwh
                billed_mwh = told.registers[GATEWAY][names.melo, direction, edge_us]
                assert billed_mwh == shown_mwh // WH_MWH * WH_MWH
                compared += 1
    assert compared == SITES * 2 * len(told.edges)


def test_the_charge_loop_shows_what_the_station_sends_to_its_backend(told):
    compared = 0
    for names, _, edge_us in told.moments_on_cables():
        for direction in ("import", "export"):
            sent_mwh = told.registers[STATION].get((f"{names.station}/1", direction, edge_us))
            on_cable_mwh = told.registers[CABLE].get((names.evse, direction, edge_us))
            assert (sent_mwh is None) == (on_cable_mwh is None)
            if sent_mwh is not None:
                assert on_cable_mwh == sent_mwh // WH_MWH * WH_MWH
                compared += 1
    assert compared > 500


def test_power_and_state_of_charge_are_the_same_on_the_cable_and_in_the_backend(told):
    compared = 0
    for names, _, edge_us in told.moments_on_cables():
        if not told.street.household(names.site).bidirectional:
            continue  # part 2 of the standard has neither on alternating current
        power_w = told.said[CABLE][f"evse:{names.evse}", "power", edge_us]
        assert told.said[STATION][f"evse:{names.station}/1", "power", edge_us] == power_w
        soc = told.said[CABLE][f"bev:{names.car_address}", "soc", edge_us]
        assert told.said[STATION][f"evse:{names.station}/1", "ev_soc", edge_us] == soc
        compared += power_w != 0
    assert compared > 50


def test_direct_current_on_the_cable_is_what_the_backend_hears_less_the_rectifiers_loss(told):
    """Voltage times current, the current in tenths of an ampere; state of charge as the car tells it on both ways."""
    compared = charging = 0
    for names, _, edge_us in told.moments_on_cables(direct_current=True):
        place = f"evse:{names.evse_number}"
        on_cable_w = told.said[CABLE][place, "voltage", edge_us] * told.said[CABLE][place, "current", edge_us]
        sent_w = told.said[STATION][f"evse:{names.station}/1", "power", edge_us]
        assert 0 <= sent_w * RECTIFIED_PERMILLE // 1000 - on_cable_w < 43
        soc = told.said[CABLE][f"bev:{names.car_address}", "soc", edge_us]
        assert told.said[STATION][f"evse:{names.station}/1", "ev_soc", edge_us] == soc
        compared += 1
        charging += on_cable_w > 10_000
    assert compared > 60
    assert charging > 1


def test_what_the_wallbox_of_direct_current_counts_is_behind_the_meter_of_its_house(told):
    """Its register and that of the meter differ by what the house used, less what roof and battery gave."""
    compared = 0
    for names, number, edge_us in told.moments_on_cables(direct_current=True):
        if number >= len(told.quarters):
            continue

        def counted_mwh(interface, point, direction, from_us=edge_us):
            known = told.registers[interface]
            return known[point, direction, from_us + SLOT_US] - known[point, direction, from_us]

        if told.stays[names.site].plugged(edge_us + SLOT_US):
            at_meter_mwh = counted_mwh(METER, names.meter, "import") - counted_mwh(METER, names.meter, "export")
            at_car_mwh = counted_mwh(STATION, f"{names.station}/1", "import")
            house_mwh = told.house_mwh(number, names.site)
            assert abs(at_meter_mwh - at_car_mwh - house_mwh) <= 2 * METER_STEP_MWH + 2 * WH_MWH
            compared += 1
    assert compared > 20


def test_what_the_meter_measures_is_the_car_and_the_house_behind_it(told):
    compared = 0
    for names, number, edge_us in told.moments_on_cables():
        if not told.street.household(names.site).bidirectional:
            continue
        quarter, minute = told.world(number)
        house_mw = quarter.house_mw
        at_meter_w = told.said[METER][f"meter:{names.meter}", "power", edge_us]
        at_car_w = told.said[CABLE][f"evse:{names.evse}", "power", edge_us]
        assert abs(at_meter_w - at_car_w - int(house_mw[names.site, minute]) // 1000) <= 1, "each is cut to whole watts"
        compared += 1
    assert compared > 300


def test_the_registers_of_meter_and_cable_differ_by_what_the_house_used(told):
    """Import less export at the meter, less the same at the car, is the house's own use: to the last digit shown."""
    compared = 0
    for names, number, edge_us in told.moments_on_cables():
        next_us = edge_us + SLOT_US
        if not told.stays[names.site].plugged(next_us) or number >= len(told.quarters):
            continue
        if not told.street.household(names.site).bidirectional:
            continue

        def net_mwh(interface, point, at_us):
            known = told.registers[interface]
            return known[point, "import", at_us] - known[point, "export", at_us]

        at_meter_mwh = net_mwh(METER, names.meter, next_us) - net_mwh(METER, names.meter, edge_us)
        at_car_mwh = net_mwh(CABLE, names.evse, next_us) - net_mwh(CABLE, names.evse, edge_us)
        house_mwh = told.house_mwh(number, names.site)
        assert abs(at_meter_mwh - at_car_mwh - house_mwh) <= 2 * METER_STEP_MWH + 2 * WH_MWH
        compared += 1
    assert compared > 300


def test_between_two_sessions_on_a_cable_nothing_is_counted(told):
    """The last reading before the car leaves and the first when it is back: the quarter hours between them are zero."""
    compared = 0
    for site in speaking(told.street, SITES):
        evse, stays = names_of(told.street, site).evse, told.stays[site]
        for direction in ("import", "export"):
            known = {
                time_us: value_mwh
                for (point, way, time_us), value_mwh in told.registers[CABLE].items()
                if (point, way) == (evse, direction)
            }
            before = max((time_us for time_us in known if time_us <= stays.unplug_us), default=None)
            after = min((time_us for time_us in known if time_us > stays.unplug_us), default=None)
            if before is not None and after is not None:
                assert known[after] == known[before]
                compared += 1
    assert compared > 2
