"""The batteries of houses: what they say of themselves is true, and the meter of their house follows it."""

from collections import defaultdict
from datetime import date

import pytest

from replay.scenario import NO_FAULTS, Setting
from replay.scenario.day import Day, logged
from replay.scenario.names import names_of
from replay.scenario.street import MWS_PER_MWH, MWS_PER_WH, Street
from replay.scenario.world import first_state, walk
from replay.scenario.writers.eebus_battery import LOG
from replay.scenario.writers.modbus import DUMPS
from schemas.facts import Facts
from schemas.time import SLOT_US
from streams.reader import read
from twin.observe import observe

DAYS = [date(2026, 3, 29), date(2026, 10, 25)]
OVER_MODBUS, OVER_EEBUS = 6, 8
SITES, SEED = 9, 1
METER, HAN, ASSETS = "15", "47", "8"
WH_MWH, METER_STEP_MWH = 1000, 100


class Told:
    """What was said of every edge of a quarter hour: registers by interface and point, and states of actors."""

    def __init__(self, day):
        said = Day(day, Setting(SITES, SEED, 900, 900, NO_FAULTS, iso15118_cars=0))
        self.street, self.plan = said.street, said.plan
        self.edges = [*self.plan.slots, self.plan.end_us]
        self.quarters = list(walk(self.street, self.plan, first_state(self.street)))
        self.registers, self.said, self.events = defaultdict(dict), {}, []
        lines = defaultdict(list)
        for message in said.live():
            if message.interface in {METER, HAN, ASSETS}:
                lines[message.interface, message.log].append(logged(message))
        for (interface, log), written in lines.items():
            for event in read(b"".join(written), interface):
                facts = Facts()
                observe(event, facts)
                assert facts.rejects == []
                self._keep(interface, facts)
                if log in {LOG, DUMPS}:
                    self.events.append(event)

    def _keep(self, interface, facts):
        for reading in facts.readings:
            self.registers[interface][reading.point, reading.direction, reading.time_us] = reading.value_mwh
        for seen in facts.observations:
            self.said[seen.actor, seen.attribute, seen.time_us] = seen.value

    def name(self, site):
        return names_of(self.street, site).home_battery

    def moments(self):
        """Every edge with the quarter hour that begins at it, or ends where it is the last, its column and minute."""
        for number, edge_us in enumerate(self.edges[:-1]):
            yield edge_us, self.quarters[number], 0, 0
        yield self.edges[-1], self.quarters[-1], 15, 14


@pytest.fixture(scope="module", params=DAYS, ids=str)
def told(request):
    return Told(request.param)


@pytest.mark.parametrize("site", [OVER_MODBUS, OVER_EEBUS])
def test_its_registers_stand_where_they_really_stood(told, site):
    for edge_us, quarter, column, _ in told.moments():
        for direction, counted_mws in (("import", quarter.home_charged_mws), ("export", quarter.home_discharged_mws)):
            shown_mwh = told.registers[ASSETS][told.name(site), direction, edge_us]
            assert shown_mwh == int(counted_mws[site, column]) // MWS_PER_WH * WH_MWH


@pytest.mark.parametrize("site", [OVER_MODBUS, OVER_EEBUS])
def test_its_power_and_state_of_charge_are_those_of_the_world(told, site):
    actor, powers = f"asset:{told.name(site)}", set()
    capacity_mws = int(told.street.home_battery_mws[site])
    for edge_us, quarter, column, minute in told.moments():
        taken_mw = int(quarter.home_charge_mw[site, minute]) - int(quarter.home_discharge_mw[site, minute])
        power_w = told.said[actor, "power", edge_us]
        assert abs(power_w * 1000 - taken_mw) < 1000
        soc = int(quarter.home_stored_mws[site, column]) * 100 // capacity_mws
        assert told.said[actor, "soc", edge_us] == soc
        powers.add((power_w > 0) - (power_w < 0))
    assert powers >= {1, -1}


def test_the_bank_behind_the_inverter_takes_less_and_gives_more_than_the_inverter_shows(told):
    actor = f"asset:{told.name(OVER_MODBUS)}"
    compared = 0
    for edge_us in told.edges:
        power_w, bank_w = told.said[actor, "power", edge_us], told.said[actor, "battery_power", edge_us]
        status = told.said[actor, "charge_status", edge_us]
        if power_w > 0:
            assert (bank_w, status) == (power_w * 950 // 1000, "CHARGING")
        elif power_w < 0:
            assert (bank_w, status) == (power_w * 1000 // 950, "DISCHARGING")
        else:
            assert (bank_w, status in {"HOLDING", "EMPTY", "FULL"}) == (0, True)
        compared += power_w != 0
    assert compared > 20


@pytest.mark.parametrize("site", [OVER_MODBUS, OVER_EEBUS])
@pytest.mark.parametrize("interface", [METER, HAN])
def test_the_meter_of_the_house_counts_what_the_battery_takes_and_gives(told, site, interface):
    """Its registers, less those of the battery, are what house, car and roof did: to the last digit shown."""
    meter, battery = names_of(told.street, site).meter, told.name(site)
    moved = 0

    def net_mwh(registers, point, from_us):
        at = [registers[point, direction, from_us + SLOT_US] for direction in ("import", "export")]
        before = [registers[point, direction, from_us] for direction in ("import", "export")]
        return (at[0] - before[0]) - (at[1] - before[1])

    for quarter in told.quarters:
        at_meter_mwh = net_mwh(told.registers[interface], meter, quarter.start_us)
        at_battery_mwh = net_mwh(told.registers[ASSETS], battery, quarter.start_us)
        others_mw = quarter.load_mw + quarter.heat_pump_mw + quarter.charge_mw - quarter.discharge_mw - quarter.pv_mw
        others_mwh = int(others_mw[site].sum()) * 60 // MWS_PER_MWH
        assert abs(at_meter_mwh - at_battery_mwh - others_mwh) <= 2 * METER_STEP_MWH + 2 * WH_MWH
        moved += abs(at_battery_mwh) > 10 * WH_MWH
    assert moved > 40


def test_over_eebus_it_says_what_it_is_and_what_it_supports(told):
    actor = f"asset:{told.name(OVER_EEBUS)}"
    said = {attribute: value for (who, attribute, _), value in told.said.items() if who == actor}
    assert said["device_type"] == "ElectricityStorageSystem"
    assert said["use_case/BatterySystem/visualizationOfAggregatedBatteryData"] == "1.0.0"
    assert said["serial_number"] == "HB-00008"


def test_there_are_batteries_of_both_kinds_and_only_the_first_houses_speak_of_theirs():
    street = Street(SEED, 100)
    named = {site: names_of(street, site).home_battery for site in range(100)}
    assert {site: name for site, name in named.items() if name} == {
        6: "HB-00006",
        8: "d:_n:Gegenstrom_HB-00008",
        18: "HB-00018",
        20: "d:_n:Gegenstrom_HB-00020",
    }
    assert int((street.home_battery_mws > 0).sum()) == 16
