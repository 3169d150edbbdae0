"""Master data say who belongs to whom, of both ends, for as long as the row is valid."""

from schemas.event import Event
from schemas.facts import Facts
from schemas.time import parse_time
from schemas.wire.contract import Conversation, Frame
from schemas.wire.master_data import FORMAT, encode
from twin.actors import declared
from twin.observe import observe

MELO, MALO = "DE0005621204300000000000000000007", "41000000070"
FROM_US, UNTIL_US = parse_time("2026-01-01T00:00:00Z"), parse_time("2026-07-01T00:00:00Z")
COLUMNS = {
    "malo": [[MALO]],
    "meters": [["1EMH0012000007"], ["1EMH0012000008"]],
    "smgw": [["EPPC0210000007"]],
    "evses": [["GS-7/1", "d:_n:X"]],
    "hems": [],
    "supplier": [["9900987654329"]],
    "aggregator": [["fleet"]],
}


def said(columns=COLUMNS, until_us=None):
    table = encode([{"melo": MELO, "valid_from_us": FROM_US, "valid_until_us": until_us, "columns": columns}])
    head, row = table.decode().splitlines()
    decoded = FORMAT.decode(Frame(row.encode(), 0, context={"head": head}), Conversation())
    facts = Facts()
    observe(Event("ab" * 16, "33", "t", *decoded[:3], None, decoded.payload, b"", {}), facts)
    return facts.observations


def by_name(observations):
    return {(seen.actor.partition(":")[0], seen.attribute): seen.value for seen in observations}


def test_who_belongs_to_whom_is_told_of_both_ends():
    found = by_name(said())
    assert found["melo", "meters"] == "1EMH0012000007 1EMH0012000008"
    assert found["meter", "melo"] == found["evse", "melo"] == found["malo", "melo"] == MELO
    assert found["smgw", f"melo/{MELO}"] == MELO
    assert (found["malo", "supplier"], found["malo", "aggregator"]) == ("9900987654329", "fleet")
    assert found["melo", "hems"] is None
    assert ("melo", "nelo") not in found


def test_the_names_of_one_device_know_of_each_other():
    same = {seen.actor: seen.value for seen in said() if seen.attribute == "same_as"}
    assert same == {"evse:GS-7/1": "d:_n:X", "evse:d:_n:X": "GS-7/1"}


def test_a_row_that_ends_says_so_of_everybody_it_named_just_before_its_end():
    found = said(until_us=UNTIL_US)
    begun = {(seen.actor, seen.attribute) for seen in found if seen.time_us == FROM_US and seen.value is not None}
    ended = {(seen.actor, seen.attribute) for seen in found if seen.time_us == UNTIL_US - 1}
    assert begun == ended
    assert {seen.value for seen in found if seen.time_us != FROM_US} == {None}


def test_all_of_it_is_declared():
    for seen in said(until_us=UNTIL_US):
        entry = declared(seen.actor, seen.attribute, "33")
        assert entry is not None, seen
        assert entry.doubt(seen.value, seen.unit) == "", seen
