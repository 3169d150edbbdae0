"""The physics of the street, in whole numbers: what every device draws in every minute of a day.

Power is constant within a minute, so energy is exact: milliwatts times seconds. Registers count milliwatt-seconds.
The world is walked one quarter hour at a time for all sites together; only one quarter hour is held.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from replay.scenario.aggregator import decide
from replay.scenario.draws import Ints
from replay.scenario.home_battery import first_stored, store
from replay.scenario.plan import LIMIT_MW, NO_TRIP, SLOT_MINUTES, DayPlan
from replay.scenario.street import KWH_MWS, MINUTE_S, Street

EFFICIENCY_PERMILLE = 920
"""Of car and wallbox together, each way."""

_LEAST_PERMILLE = 50
"""No trip leaves less than this in the battery."""

_FLOOR_PERMILLE = 300
"""Below this no car is discharged."""

_FULL_PERMILLE = 950
"""Above this no car is charged."""

_WAKING_PERMILLE = (5, 3, 3, 3, 5, 15, 70, 90, 60, 45, 45, 70, 95, 70, 45, 45, 55, 95, 130, 140, 120, 90, 50, 20)
"""Chance by local hour that an appliance runs in a quarter hour."""

_SUN_NOON_MINUTE = 11 * 60 + 20  # UTC, at 10 degrees east
_SUN_HALF_DAY = (245, 295, 350, 410, 465, 495, 480, 430, 375, 315, 260, 235)
_SUN_STRENGTH = (300, 430, 620, 780, 880, 920, 910, 840, 700, 500, 330, 250)
_HEATING_PERMILLE = (560, 520, 400, 260, 130, 70, 60, 60, 110, 250, 400, 520)
"""By month: minutes from sunrise to noon; strength at noon and running time of a heat pump, in permille."""


@dataclass(frozen=True, slots=True)
class State:
    """What a day leaves to the next: registers and state of charge of every site in mWs.

    ``charged``, ``discharged`` and ``soc`` are of the car, those that begin with ``home`` of the house's own battery.
    ``begun_charged_mws`` and ``begun_discharged_mws`` are the wallbox's registers when the car was last plugged in.
    """

    import_mws: Ints
    export_mws: Ints
    charged_mws: Ints
    discharged_mws: Ints
    generated_mws: Ints
    soc_mws: Ints
    begun_charged_mws: Ints
    begun_discharged_mws: Ints
    home_charged_mws: Ints
    home_discharged_mws: Ints
    home_stored_mws: Ints


@dataclass(frozen=True, slots=True)
class Quarter:
    """One quarter hour of the street.

    Power has a row for each site and a column for each of the 15 minutes, never negative. The energy columns
    have 16: at the start of each minute and at the end. What begins with ``home`` is of the house's own battery,
    charge and discharge without it are of the car. ``setpoint_mw`` is what the aggregator (or the car itself)
    wants, charging positive; ``limited`` is 1 where the section-14a event holds. ``before`` is the state at the
    beginning; ``came_home`` the minute of the quarter hour in which a car is back, -1 where none comes.
    """

    number: int
    start_us: int
    load_mw: Ints
    heat_pump_mw: Ints
    pv_mw: Ints
    charge_mw: Ints
    discharge_mw: Ints
    setpoint_mw: Ints
    limited: Ints
    import_mws: Ints
    export_mws: Ints
    charged_mws: Ints
    discharged_mws: Ints
    generated_mws: Ints
    soc_mws: Ints
    home_charge_mw: Ints
    home_discharge_mw: Ints
    home_charged_mws: Ints
    home_discharged_mws: Ints
    home_stored_mws: Ints
    before: State
    came_home: Ints

    @property
    def house_mw(self) -> Ints:
        """What the house draws beside its car: less what its roof and its own battery give, so it may be below zero."""
        used_mw = self.load_mw + self.heat_pump_mw + self.home_charge_mw
        return used_mw - self.home_discharge_mw - self.pv_mw

    @property
    def grid_mw(self) -> Ints:
        """Power at the grid connection point, import positive."""
        return self.house_mw + self.charge_mw - self.discharge_mw

    def stored_w(self, site: int, minute: int) -> int:
        """Power of a house's battery in a minute, charging positive; whole watts, towards zero."""
        charge_mw, discharge_mw = int(self.home_charge_mw[site, minute]), int(self.home_discharge_mw[site, minute])
        return charge_mw // 1000 - discharge_mw // 1000

    def drawn_mw(self, site: int, minute: int) -> int:
        """Power of a site's car in a minute, charging positive."""
        return int(self.charge_mw[site, minute]) - int(self.discharge_mw[site, minute])

    @property
    def end(self) -> State:
        """The state after the last minute."""
        came, column = self.came_home >= 0, np.maximum(self.came_home, 0)
        sites = np.arange(len(column))
        return State(
            self.import_mws[:, -1],
            self.export_mws[:, -1],
            self.charged_mws[:, -1],
            self.discharged_mws[:, -1],
            self.generated_mws[:, -1],
            self.soc_mws[:, -1],
            np.where(came, self.charged_mws[sites, column], self.before.begun_charged_mws),
            np.where(came, self.discharged_mws[sites, column], self.before.begun_discharged_mws),
            self.home_charged_mws[:, -1],
            self.home_discharged_mws[:, -1],
            self.home_stored_mws[:, -1],
        )


def first_state(street: Street) -> State:
    """Where registers and batteries stand when the story begins: some years of use behind them."""

    def used(purpose: str, low_kwh: int, high_kwh: int) -> Ints:
        whole = street.draws.between(purpose, low_kwh, high_kwh, street.numbers) * KWH_MWS
        return whole + street.draws.between(f"{purpose}, the rest", 0, KWH_MWS, street.numbers)

    has_wallbox, gives_back = np.sign(street.wallbox_mw), np.sign(street.discharge_mw)
    feeds_in = np.sign(street.discharge_mw + street.pv_peak_mw)
    has_battery = np.sign(street.home_battery_mws)
    charged = used("charged register", 300, 9_000) * has_wallbox
    discharged = used("discharged register", 50, 4_000) * gives_back
    return State(
        used("import register", 900, 30_000),
        used("export register", 100, 20_000) * feeds_in,
        charged,
        discharged,
        used("generated register", 2_000, 60_000) * np.sign(street.pv_peak_mw),
        street.battery_mws // 1000 * street.draws.between("first state of charge", 550, 851, street.numbers),
        charged - used("charged since plugged in", 4, 30) * has_wallbox,
        discharged - used("discharged since plugged in", 0, 12) * gives_back,
        used("home battery charged", 1_000, 15_000) * has_battery,
        used("home battery discharged", 800, 12_000) * has_battery,
        first_stored(street),
    )


def walk(street: Street, plan: DayPlan, state: State) -> Iterator[Quarter]:
    """The quarter hours of a day, one after the other, from the state at its start."""
    for number in range(len(plan.slots)):
        quarter = _quarter(street, plan, number, state)
        state = quarter.end
        yield quarter


def _quarter(street: Street, plan: DayPlan, number: int, state: State) -> Quarter:
    minutes = np.arange(number * SLOT_MINUTES, (number + 1) * SLOT_MINUTES, dtype=np.int64)
    limited = street.limited * int(plan.limited(int(minutes[0])))
    load_mw = _load(street, plan, number, minutes)
    heat_pump_mw = _heat_pump(street, plan, minutes)
    heat_pump_mw = np.where(limited[:, None] == 1, np.minimum(heat_pump_mw, LIMIT_MW), heat_pump_mw)
    pv_mw = _pv(street, plan, number, minutes)
    setpoint_mw = decide(street, plan, number, state.soc_mws)
    charge_mw, discharge_mw, soc_mws = _drive(street, plan, minutes, state.soc_mws, setpoint_mw, limited)
    house_mw, car_mw = load_mw + heat_pump_mw, charge_mw - discharge_mw
    home = store(street, state.home_stored_mws, house_mw, car_mw, pv_mw)
    grid_mw = house_mw + car_mw + home.charge_mw - home.discharge_mw - pv_mw
    return Quarter(
        number=number,
        start_us=plan.slots[number],
        load_mw=load_mw,
        heat_pump_mw=heat_pump_mw,
        pv_mw=pv_mw,
        charge_mw=charge_mw,
        discharge_mw=discharge_mw,
        setpoint_mw=setpoint_mw,
        limited=limited,
        import_mws=_count(state.import_mws, np.maximum(grid_mw, 0)),
        export_mws=_count(state.export_mws, np.maximum(-grid_mw, 0)),
        charged_mws=_count(state.charged_mws, charge_mw),
        discharged_mws=_count(state.discharged_mws, discharge_mw),
        generated_mws=_count(state.generated_mws, pv_mw),
        soc_mws=soc_mws,
        home_charge_mw=home.charge_mw,
        home_discharge_mw=home.discharge_mw,
        home_charged_mws=_count(state.home_charged_mws, home.charge_mw),
        home_discharged_mws=_count(state.home_discharged_mws, home.discharge_mw),
        home_stored_mws=home.stored_mws,
        before=state,
        came_home=np.where(plan.away_until // SLOT_MINUTES == number, plan.away_until % SLOT_MINUTES, NO_TRIP),
    )


def _count(register_mws: Ints, power_mw: Ints) -> Ints:
    """A register that counts this power, at the start of each minute and at the end."""
    counted = np.cumsum(power_mw * MINUTE_S, axis=1)
    return np.concatenate([register_mws[:, None], register_mws[:, None] + counted], axis=1)


def _load(street: Street, plan: DayPlan, number: int, minutes: Ints) -> Ints:
    """Lights, cooking, washing: a base, a fridge that cycles, an appliance now and then, flicker."""
    draws, sites, ordinal = street.draws, street.numbers, plan.day.toordinal()
    hour = int(plan.local_minute[minutes[0]]) // 60
    phase, period = draws.between("fridge phase", 0, 60, sites), draws.between("fridge", 35, 60, sites)
    fridge = ((minutes + phase[:, None]) % period[:, None] < 14) * 85_000
    runs = draws.between("appliance", 0, 1000, sites, ordinal, number) < 3 * _WAKING_PERMILLE[hour]
    power = draws.between("appliance power", 250_000, 2_900_000, sites, ordinal, number)
    begin = draws.between("appliance begin", 0, 10, sites, ordinal, number)
    end = begin + draws.between("appliance time", 3, 16, sites, ordinal, number)
    step = np.arange(SLOT_MINUTES)
    appliance = (runs[:, None] & (step >= begin[:, None]) & (step < end[:, None])) * power[:, None]
    flicker = draws.between("flicker", 0, 60_000, sites[:, None], ordinal, minutes)
    return street.base_load_mw[:, None] + fridge + appliance + flicker


def _heat_pump(street: Street, plan: DayPlan, minutes: Ints) -> Ints:
    """On and off in a cycle; longer in the cold months and at night."""
    draws, sites = street.draws, street.numbers
    period, phase = draws.between("cycle", 40, 91, sites), draws.between("cycle phase", 0, 90, sites)
    night = (plan.local_minute[minutes] < 6 * 60) * 60
    on_minutes = period[:, None] * (_HEATING_PERMILLE[plan.day.month - 1] + night) // 1000
    return ((minutes + phase[:, None]) % period[:, None] < on_minutes) * street.heat_pump_mw[:, None]


def _pv(street: Street, plan: DayPlan, number: int, minutes: Ints) -> Ints:
    """A parabola from sunrise to sunset, dimmed by clouds that the whole street shares."""
    draws, ordinal, month = street.draws, plan.day.toordinal(), plan.day.month - 1
    half = _SUN_HALF_DAY[month]
    utc_minute = (plan.start_us // 60_000_000 + minutes) % (24 * 60)
    shape = np.maximum(half**2 - (utc_minute - _SUN_NOON_MINUTE) ** 2, 0)
    clear = draws.between("sky", 450, 1001, ordinal) * draws.between("cloud", 550, 1001, ordinal, number) // 1000
    passing = draws.between("passing cloud", 900, 1001, street.numbers[:, None], ordinal, minutes)
    permille = _SUN_STRENGTH[month] * clear // 1000 * passing // 1000
    return street.pv_peak_mw[:, None] // 1000 * permille * shape // half**2


def _drive(
    street: Street, plan: DayPlan, minutes: Ints, soc_mws: Ints, setpoint_mw: Ints, limited: Ints
) -> tuple[Ints, Ints, Ints]:
    """What cars charge and discharge minute by minute, within what batteries, wallboxes and section 14a allow."""
    capacity = street.battery_mws
    full, floor = capacity * _FULL_PERMILLE // 1000, capacity * _FLOOR_PERMILLE // 1000
    ceiling_mw = np.where(limited == 1, np.minimum(street.wallbox_mw, LIMIT_MW), street.wallbox_mw)
    jitter = street.draws.between("jitter", 985, 1001, street.numbers[:, None], plan.day.toordinal(), minutes)
    charges, discharges, socs = [], [], [soc_mws]
    for column, minute in enumerate(minutes.tolist()):
        plugged = plugged_in(plan, minute) * jitter[:, column]
        room_mw = np.maximum(full - soc_mws, 0) * 1000 // (MINUTE_S * EFFICIENCY_PERMILLE)
        charge = np.minimum(np.clip(setpoint_mw, 0, ceiling_mw) * plugged // 1000, room_mw)
        spare_mw = np.maximum(soc_mws - floor, 0) * EFFICIENCY_PERMILLE // (MINUTE_S * 1000)
        discharge = np.minimum(np.clip(-setpoint_mw, 0, street.discharge_mw) * plugged // 1000, spare_mw)
        soc_mws = soc_mws + charge * MINUTE_S * EFFICIENCY_PERMILLE // 1000
        soc_mws = soc_mws + -discharge * MINUTE_S * 1000 // EFFICIENCY_PERMILLE  # rounds up what the battery gives
        returned = plan.away_until == minute + 1
        soc_mws = np.where(returned, np.maximum(soc_mws - plan.trip_mws, least_mws(street)), soc_mws)
        charges.append(charge)
        discharges.append(discharge)
        socs.append(soc_mws)
    return np.stack(charges, axis=1), np.stack(discharges, axis=1), np.stack(socs, axis=1)


def least_mws(street: Street) -> Ints:
    """What stays in the battery after the longest trip."""
    return street.battery_mws * _LEAST_PERMILLE // 1000


def plugged_in(plan: DayPlan, minute: int) -> Ints:
    """1 where the car is plugged in for the whole of this minute."""
    away = (plan.away_from != NO_TRIP) & (plan.away_from <= minute) & (minute < plan.away_until)
    return np.where(away, 0, 1)
