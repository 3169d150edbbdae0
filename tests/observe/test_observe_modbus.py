"""What Modbus says: power with our sign, energy registers, storage, limits; from dumps and from confirmed writes."""

import struct
from decimal import Decimal

import pytest

from schemas.event import from_record, to_record
from schemas.facts import Facts
from schemas.time import parse_time
from schemas.wire.modbus import (
    encode_dump,
    encode_read,
    encode_registers,
    encode_response,
    encode_write,
    encode_written,
)
from streams.reader import Conversations, read
from twin.observe import observe

NOON_US = parse_time("2026-03-29T12:00:00Z")
COMMON = (1, {"Mn": "Maker", "Md": "Hybrid 10", "Vr": "1.2", "SN": "SN-4711"})


def facts_of(content, interface="8", conversations=None, time_us=NOON_US):
    """Facts as the worker sees them: through the record in the log."""
    facts = Facts()
    for event in read(content, interface, "hems-7", time_us=time_us, conversations=conversations):
        _, value, _ = to_record(event)
        observe(from_record(value), facts)
    return facts


def of_models(*models):
    return facts_of(encode_dump(encode_registers([COMMON, *models])))


def said(facts):
    return {
        (seen.actor, seen.attribute): (Decimal(seen.value) if seen.unit else seen.value) for seen in facts.observations
    }


def readings(facts):
    return {(seen.device, seen.obis): (seen.direction, seen.value_mwh, seen.quality) for seen in facts.readings}


def test_the_common_model_says_who_it_is():
    assert said(of_models()) == {
        ("asset:SN-4711", "vendor"): "Maker",
        ("asset:SN-4711", "model"): "Hybrid 10",
        ("asset:SN-4711", "firmware_version"): "1.2",
        ("asset:SN-4711", "serial_number"): "SN-4711",
    }


@pytest.mark.parametrize("number", [101, 103, 111, 113, 701])
def test_what_generates_exports(number):
    values = {"W": 3450, "W_SF": 1} if number in {101, 103, 701} else {"W": 3450}
    assert said(of_models((number, values)))["asset:SN-4711", "power"] == -3450


def test_der_counts_generation_positive_and_absorption_negative():
    facts = of_models((701, {"W": -4200, "W_SF": 0, "TotWhInj": 7000, "TotWhAbs": 9000, "TotWh_SF": 0}))
    assert said(facts)["asset:SN-4711", "power"] == 4200
    assert readings(facts) == {
        ("SN-4711", "1-0:1.8.0"): ("import", 9_000_000, "indicative"),
        ("SN-4711", "1-0:2.8.0"): ("export", 7_000_000, "indicative"),
    }


def test_an_inverter_s_energy_is_an_export_register():
    facts = of_models((103, {"WH": 1_234_500, "WH_SF": 2, "St": "MPPT", "Evt1": ["OVER_TEMP", "AC_DISCONNECT"]}))
    assert readings(facts) == {("SN-4711", "1-0:2.8.0"): ("export", 1_234_500_000, "indicative")}
    assert said(facts)["asset:SN-4711", "operating_state"] == "MPPT"
    assert said(facts)["asset:SN-4711", "alarms"] == "AC_DISCONNECT, OVER_TEMP"


@pytest.mark.parametrize("number", [201, 204, 211, 214])
def test_a_meter_counts_import_positive(number):
    values = {"W": -150, "TotWhImp": 1000, "TotWhExp": 2000}
    facts = of_models((number, values))
    assert said(facts)["asset:SN-4711", "power"] == -150
    assert readings(facts)["SN-4711", "1-0:1.8.0"][:2] == ("import", 1_000_000)
    assert readings(facts)["SN-4711", "1-0:2.8.0"][:2] == ("export", 2_000_000)


def test_a_meter_beside_an_inverter_is_told_apart_and_one_with_its_own_common_model_is_itself():
    meter = (203, {"W": 90, "TotWhImp": 5})
    facts = of_models((103, {"W": 100}), meter)
    assert said(facts)["asset:SN-4711", "power"] == -100
    assert said(facts)["asset:SN-4711", "meter_power"] == 90
    assert ("SN-4711/meter", "1-0:1.8.0") in readings(facts)
    facts = of_models((103, {"W": 100}), (1, {"SN": "M-1"}), meter)
    assert said(facts)["asset:M-1", "power"] == 90


def test_701_is_heard_where_103_says_the_same():
    facts = of_models((103, {"W": 3449, "WH": 70}), (701, {"W": 3450, "TotWhInj": 71}))
    assert said(facts)["asset:SN-4711", "power"] == -3450
    assert [seen.value_mwh for seen in facts.readings] == [71_000]


@pytest.mark.parametrize(
    ("model", "soc"),
    [
        ((124, {"ChaState": Decimal("55.5"), "ChaState_SF": -1}), Decimal("55.5")),
        ((713, {"SoC": 56, "Pct_SF": 0}), 56),
        ((802, {"SoC": Decimal("57.25"), "SoC_SF": -2}), Decimal("57.25")),
    ],
)
def test_state_of_charge_of_every_model_of_storage(model, soc):
    assert said(of_models(model))["asset:SN-4711", "soc"] == soc


@pytest.mark.parametrize(
    ("status", "power_w", "expected"),
    [("CHARGING", -2000, 2000), ("CHARGING", 2000, 2000), ("DISCHARGING", 2000, -2000), ("HOLDING", 0, 0)],
)
def test_the_way_a_battery_s_power_flows_is_told_by_its_status(status, power_w, expected):
    facts = of_models((802, {"W": power_w, "ChaSt": status}))
    assert said(facts)["asset:SN-4711", "battery_power"] == expected


def test_and_is_not_told_where_the_status_does_not_say_it():
    assert ("asset:SN-4711", "battery_power") not in said(of_models((802, {"W": 20, "ChaSt": "HOLDING"})))


def test_limits_of_123_and_704():
    found = said(of_models((123, {"WMaxLimPct": 60, "WMaxLim_Ena": "ENABLED"})))
    assert (found["asset:SN-4711", "export_limit"], found["asset:SN-4711", "export_limit_active"]) == (60, True)
    found = said(of_models((704, {"WSet": -3000, "WSetEna": "DISABLED"})))
    assert found["asset:SN-4711", "power_setpoint"] == 3000
    assert found["asset:SN-4711", "power_setpoint_active"] is False


def test_a_confirmed_write_says_what_holds_then_and_an_unconfirmed_one_nothing():
    conversations = Conversations()
    registers = encode_registers([COMMON, (123, {"WMaxLimPct": 100, "WMaxLimPct_SF": 0})])
    read_all = encode_read(1, 1, 40000, len(registers)) + encode_response(1, 1, registers)
    facts_of(read_all, conversations=conversations)
    address = 40000 + 70 + 5
    asked = encode_write(2, 1, address, [60])
    assert said(facts_of(asked, conversations=conversations)) == {}
    assert said(facts_of(encode_written(2, 1, address, [60]), conversations=conversations)) == {
        ("asset:SN-4711", "export_limit"): 60
    }


def test_what_cannot_be_believed_is_set_aside_with_its_reason():
    facts = of_models((701, {"TotWhInj": 10**19, "TotWh_SF": 0}))
    assert [reject.reason for reject in facts.rejects] == ["implausible"]
    assert readings(facts) == {}


@pytest.mark.parametrize(
    ("model", "attribute"),
    [
        ((701, {"Hz": 5000, "Hz_SF": 0, "W": 44, "W_SF": 0}), "frequency"),
        ((713, {"SoC": 101, "Pct_SF": 0}), "soc"),
    ],
)
def test_no_grid_has_such_a_frequency_and_no_battery_is_charged_so(model, attribute):
    facts = of_models(model)
    assert [reject.reason for reject in facts.rejects] == ["implausible"]
    assert attribute in facts.rejects[0].detail
    assert ("asset:SN-4711", attribute) not in said(facts)


def test_a_model_that_lost_registers_says_nothing_but_that():
    registers = encode_registers([COMMON, (103, {"W": 3450, "W_SF": 1}), (120, {"WRtg": 5000, "WRtg_SF": 0})])
    lost = registers.index(103) + 10
    del registers[lost : lost + 2]
    behind = registers.index(120) + 2
    registers[behind : behind + 2] = [5310, 4248]
    facts = facts_of(encode_dump(registers))
    assert ["are some missing?" in reject.detail for reject in facts.rejects] == [True]
    assert ("asset:SN-4711", "power") not in said(facts)


def test_a_float_that_is_no_number_is_not_told():
    registers = encode_registers([COMMON, (113, {"W": 5, "Hz": 50})])
    place = registers.index(struct.unpack(">2H", struct.pack(">f", 5))[0])
    registers[place : place + 2] = struct.unpack(">2H", struct.pack(">f", float("inf")))
    assert ("asset:SN-4711", "power") not in said(facts_of(encode_dump(registers)))


def test_registers_nobody_knows_the_time_of_say_nothing():
    facts = facts_of(encode_dump(encode_registers([COMMON])), time_us=None)
    assert [reject.reason for reject in facts.rejects] == ["no-time"]


def test_a_register_of_the_installation_s_point_list_is_its_attribute(tmp_path, monkeypatch):
    monkeypatch.setenv("TWIN_HOME", str(tmp_path))
    (tmp_path / "points").mkdir()
    (tmp_path / "points" / "9.csv").write_text(
        "station,address,actor,attribute,unit,factor\n1,7,hems:H1,limit,W,10\n1,8,hems:H1,price,EUR,0.01\n"
    )
    facts = facts_of(encode_dump([420, 0xFFFF], base=7), interface="9")
    assert said(facts) == {("hems:H1", "limit"): 4200, ("hems:H1", "price"): Decimal("-0.01")}
