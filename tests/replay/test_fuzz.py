"""A few mutants of every decoder, as `make fuzz` makes them by the thousands; and that they are what they should be."""

import pytest

from replay.fuzz import runs
from replay.fuzz.judge import Wrong, judge
from replay.fuzz.mutation import GROWN_LIMIT_BYTES
from replay.fuzz.runs import mutant_of, run, save
from replay.fuzz.seeds import formats, is_read, seeds_of

COUNT = 100


@pytest.mark.parametrize("name", formats())
def test_good_messages_are_events_and_mutants_end_as_events_or_in_quarantine(name):
    assert seeds_of(name), "good messages to begin with"
    for good in seeds_of(name):
        assert is_read(name, good)
        assert set(judge(good.content, good.interface)) == {"event"}
    result = run(name, COUNT, seed=1)
    assert [problem.detail for problem in result.problems] == []
    assert result.mutants == COUNT
    assert result.events
    assert result.rejects


def test_the_same_seed_makes_the_same_mutants_and_another_seed_others():
    made = [mutant_of("ocpi", number, 1) for number in range(20)]
    assert made == [mutant_of("ocpi", number, 1) for number in range(20)]
    assert made != [mutant_of("ocpi", number, 2) for number in range(20)]
    assert max(len(mutant.content) for mutant in made) <= GROWN_LIMIT_BYTES


def test_what_a_decoder_breaks_on_is_found_and_kept(monkeypatch, tmp_path):
    broken = with_decoder("ocpi", lambda *_: 1 / 0)
    monkeypatch.setattr("schemas.interfaces.format_of", lambda _name: broken)
    problem = next(found for number in range(100) for found in runs._one("ocpi", number, 1).problems)
    assert "decoder-error" in problem.detail
    (path,) = save(runs.Result("ocpi", problems=[problem]), tmp_path)
    assert path.read_bytes() == problem.content


def test_a_reason_nobody_knows_is_wrong(monkeypatch):
    monkeypatch.setattr("replay.fuzz.judge.REASONS", frozenset())
    with pytest.raises(Wrong, match="not one of those known"):
        judge(b"{}", "E1")


def with_decoder(name, decode):
    from schemas.interfaces import format_of

    return format_of(name)._replace(decode=decode)
