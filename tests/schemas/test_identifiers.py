"""Identifiers: the examples of the rules, what a check digit finds, and what is refused in words."""

import doctest
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import identifiers
from schemas.identifiers import (
    make_bdew_code,
    make_eic,
    make_emaid,
    make_malo,
    make_resource,
    parse_bdew_code,
    parse_eic,
    parse_emaid,
    parse_evse_id,
    parse_gln,
    parse_malo,
    parse_melo,
    parse_meter_id,
    parse_resource,
)
from schemas.wire.contract import BadIdentifier

DIGITS = "0123456789"
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def body(first, alphabet, length):
    return st.tuples(st.sampled_from(first), st.text(alphabet, min_size=length, max_size=length)).map("".join)


def test_the_examples_of_the_documentation_hold():
    assert doctest.testmod(identifiers).failed == 0


@pytest.mark.parametrize(
    ("contract", "check"),
    [
        ("NN123ABCDEFGHI", "T"),
        ("FRXYZ123456789", "2"),
        ("ITA1B2C3E4F5G6", "4"),
        ("ESZU8WOX834H1D", "R"),
        ("PT73902837ABCZ", "Z"),
        ("DE83DUIEN83QGZ", "D"),
        ("DE83DUIEN83ZGQ", "M"),
    ],
)
def test_check_characters_of_published_contracts(contract, check):
    assert parse_emaid(contract) == contract + check


@pytest.mark.parametrize(
    ("make", "parse", "bodies"),
    [
        (make_malo, parse_malo, body(DIGITS[1:], DIGITS, 9)),
        (make_bdew_code, parse_bdew_code, body("9", DIGITS, 11)),
        (make_resource, parse_resource, body("CDEF", DIGITS + CAPITALS, 9)),
    ],
)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_wrong_digit_is_found_unless_it_is_off_by_five_at_an_even_place(make, parse, bodies, data):
    whole = make(data.draw(bodies))
    place = data.draw(st.integers(1, len(whole) - 1))
    if not whole[place].isdigit():
        return
    other = data.draw(st.sampled_from(DIGITS.replace(whole[place], "")))
    wrong = whole[:place] + other + whole[place + 1 :]
    at_even_place = place % 2 == 1 and place < len(whole) - 1
    if at_even_place and abs(int(other) - int(whole[place])) == 5:
        assert parse(wrong) == wrong
    else:
        with pytest.raises(BadIdentifier, match="check digit"):
            parse(wrong)


@given(body("123", DIGITS, 1), body("XYZTVWA", DIGITS + CAPITALS + "-", 12), st.data())
@settings(max_examples=200, deadline=None)
def test_every_wrong_character_of_an_eic_is_found(office, rest, data):
    try:
        whole = make_eic(office + rest)
    except BadIdentifier:  # its check character would be "-"
        return
    place = data.draw(st.integers(3, 15))
    other = data.draw(st.sampled_from((DIGITS + CAPITALS).replace(whole[place], "")))
    with pytest.raises(BadIdentifier):
        parse_eic(whole[:place] + other + whole[place + 1 :])


@given(st.text(DIGITS + CAPITALS, min_size=9, max_size=9), st.data())
@settings(max_examples=200, deadline=None)
def test_every_wrong_character_and_every_swap_in_an_emaid_is_found(instance, data):
    whole = make_emaid("DE", "GGS", instance)
    place = data.draw(st.integers(2, 14))
    other = data.draw(st.sampled_from((DIGITS + CAPITALS).replace(whole[place], "")))
    with pytest.raises(BadIdentifier):
        parse_emaid(whole[:place] + other + whole[place + 1 :])
    swapped = whole[: place - 1] + whole[place] + whole[place - 1] + whole[place + 1 :]
    if swapped != whole and place > 2:
        with pytest.raises(BadIdentifier):
            parse_emaid(swapped)


BAD = [
    (parse_malo, ""),
    (parse_malo, "4137355924"),
    (parse_malo, "01373559241"),
    (parse_malo, "41373559242"),
    (parse_malo, "4137355924\N{ARABIC-INDIC DIGIT ONE}"),
    (parse_malo, "41373559241\n"),
    (parse_bdew_code, "9900987654320"),
    (parse_bdew_code, "990098765432"),
    (parse_gln, "4012345000008"),
    (parse_gln, "401234500000X"),
    (parse_resource, "E0000000010"),
    (parse_resource, "G0000000019"),
    (parse_resource, "e0000000019"),
    (parse_melo, "DE00056266802AO6G56M11SN51G21M24"),
    (parse_melo, "AT00056266802AO6G56M11SN51G21M24S"),
    (parse_melo, "DE00056266802ao6g56m11sn51g21m24s"),
    (parse_eic, "10Y1001A1001A82X"),
    (parse_eic, "10Y1001A1001A82"),
    (parse_eic, "10YBE-----------"),
    (parse_emaid, "DE8AA0012345671"),
    (parse_emaid, "DE-8AA001234567-0"),
    (parse_emaid, "DE8AA00123456"),
    (parse_emaid, "D|8AA001234567"),
    (parse_evse_id, "DE*ICE*P45B"),
    (parse_evse_id, "DE*ICE*E"),
    (parse_evse_id, "DE*ICEE45B"),
    (parse_evse_id, "DE*ICE*E45B*"),
    (parse_meter_id, "31140584"),
    (parse_meter_id, "1EMH001234567"),
    (parse_meter_id, "1emh0012345678"),
    (parse_meter_id, "1EMH0012345678" * 100),
]


@pytest.mark.parametrize(("parse", "text"), BAD, ids=[f"{parse.__name__}-{n}" for n, (parse, _) in enumerate(BAD)])
def test_what_is_wrong_is_said_in_a_sentence(parse, text):
    with pytest.raises(BadIdentifier) as problem:
        parse(text)
    assert 20 < len(problem.value.detail) < 200


@given(st.text(max_size=40))
@settings(max_examples=100, deadline=None)
def test_any_text_is_an_identifier_or_refused(text):
    for parse in (parse_malo, parse_bdew_code, parse_gln, parse_resource, parse_melo, parse_eic, parse_emaid):
        with suppress(BadIdentifier):
            assert parse(parse(text)) == parse(text)
