"""What is done to a good message: to its bytes and lengths, to numbers in texts, to parts of JSON and XML."""

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

import orjson

GROWN_LIMIT_BYTES: Final = 64 * 1024
"""A mutant is not longer, so that time and memory can be held against its size."""

_NUMBER: Final = re.compile(rb"-?\d+(?:\.\d+)?")
_TAG: Final = re.compile(rb"<(\w[\w:.-]*)[^<>]*>[^<>]*</\1>")
_BYTES: Final = (0x00, 0x01, 0x7F, 0x80, 0xFF, 0x22, 0x3C, 0x5B, 0x7B, 0x0A, 0x27, 0x2B)
_NUMBERS: Final = (
    *(b"0", b"-1", b"1", b"9" * 30, b"-" + b"9" * 20, b"1e400", b"1E-400", b"0.1", b"NaN", b"9223372036854775808"),
    *(b"65536", b"4294967296", b"00", b"", b"253402300800000000", b"1" + b"0" * 300, b"2026-02-30", b"24"),
)
_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1, 2**63 - 1, -(2**63), 2**64 - 1, 1.5, 1e300, -0.0, 5e-324),
    *("", " ", "\x00", "x" * 5000, "\ud7ff\uffff", "-1", "1e999", "2026-13-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    *([], {}, [[]], [None], {"": None}, [[[[[[[[[[]]]]]]]]]]),
)

Mutation = Callable[[bytes, Random, Sequence[bytes]], bytes]


def mutant(seeds: Sequence[bytes], random: Random) -> bytes:
    """A message made of the seeds by one to four mutations, at times none that keeps it readable."""
    content = random.choice(seeds)
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 4))):
        content = random.choice(random.choice((MUTATIONS, READABLE)))(content, random, seeds)
    return content[:GROWN_LIMIT_BYTES]


def _place(content: bytes, random: Random) -> int:
    return random.randrange(len(content) + 1)


def _stretch(content: bytes, random: Random) -> tuple[int, int]:
    start = _place(content, random)
    return start, min(len(content), start + random.choice((1, 2, 4, 8, 32, 200)))


def flip_bits(content: bytes, random: Random, _seeds: Sequence[bytes]) -> bytes:
    """Some bits are turned."""
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 8))):
        if changed:
            changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def set_byte(content: bytes, random: Random, _seeds: Sequence[bytes]) -> bytes:
    """A byte is one that means something to parsers."""
    at = _place(content, random)
    return content[:at] + bytes((random.choice(_BYTES),)) + content[at + 1 :]


def cut_out(content: bytes, random: Random, _seeds: Sequence[bytes]) -> bytes:
    """A stretch is gone."""
    start, end = _stretch(content, random)
    return content[:start] + content[end:]


def end_early(content: bytes, random: Random, _seeds: Sequence[bytes]) -> bytes:
    """The rest is gone."""
    return content[: _place(content, random)]


def insert(content: bytes, random: Random, _seeds: Sequence[bytes]) -> bytes:
    """Bytes of chance stand within."""
    at = _place(content, random)
    return content[:at] + random.randbytes(random.choice((1, 2, 7, 40))) + content[at:]


def repeat(content: bytes, random: Random, _seeds: Sequence[bytes]) -> bytes:
    """A stretch stands several times."""
    start, end = _stretch(content, random)
    times = random.choice((1, 1, 2, 50, 1000))
    return content[:end] + content[start:end] * times + content[end:]


def splice(content: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    """The beginning of one message, the end of another."""
    other = random.choice(seeds)
    return content[: _place(content, random)] + other[_place(other, random) :]


def lie(content: bytes, random: Random, _seeds: Sequence[bytes]) -> bytes:
    """What may be a length says something else: all, nothing, one more, one less."""
    size = random.choice((1, 2, 4))
    if len(content) < size:
        return content
    at = random.randrange(len(content) - size + 1)
    order = "big" if random.random() < 0.5 else "little"
    value = int.from_bytes(content[at : at + size], order)  # type: ignore[arg-type]
    limit = 1 << 8 * size
    value = random.choice((0, limit - 1, limit // 2, (value + 1) % limit, (value - 1) % limit, value * 2 % limit))
    return content[:at] + value.to_bytes(size, order) + content[at + size :]  # type: ignore[arg-type]


def change_number(content: bytes, random: Random, _seeds: Sequence[bytes]) -> bytes:
    """A number in a text is another, or none."""
    found = list(_NUMBER.finditer(content[:GROWN_LIMIT_BYTES]))
    if not found:
        return flip_bits(content, random, ())
    number = random.choice(found)
    return content[: number.start()] + random.choice(_NUMBERS) + content[number.end() :]


def change_tree(content: bytes, random: Random, _seeds: Sequence[bytes]) -> bytes:
    """In JSON a value is another, is gone, or stands twice; the text stays JSON."""
    lines = content.splitlines() or [b""]
    place = random.randrange(len(lines))
    for text, before, after in ((content, b"", b""), (lines[place], *_around(lines, place))):
        try:
            tree = orjson.loads(text)
            return before + orjson.dumps(_changed(tree, random)) + after
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):
            continue
    return change_element(content, random, ())


def _around(lines: list[bytes], place: int) -> tuple[bytes, bytes]:
    before, after = b"\n".join(lines[:place]), b"\n".join(lines[place + 1 :])
    return before + b"\n" if before else b"", b"\n" + after if after else b""


def _changed(tree: Any, random: Random) -> Any:
    """The tree with one change, at a place that every level makes a little less deep."""
    if isinstance(tree, dict) and tree and random.random() < 0.85:
        name = random.choice(list(tree))
        kept = dict(tree)
        if random.random() < 0.1:
            del kept[name]
        elif random.random() < 0.05:
            kept[name + "x"] = kept.pop(name)
        else:
            kept[name] = _changed(tree[name], random)
        return kept
    if isinstance(tree, list) and tree and random.random() < 0.85:
        place = random.randrange(len(tree))
        if random.random() < 0.1:
            return tree[:place] + tree[place + 1 :]
        if random.random() < 0.1:
            return tree[:place] + [tree[place]] * random.choice((2, 100)) + tree[place:]
        return [*tree[:place], _changed(tree[place], random), *tree[place + 1 :]]
    return random.choice(_VALUES)


def change_element(content: bytes, random: Random, _seeds: Sequence[bytes]) -> bytes:
    """In XML an element is gone, empty, stands several times, or holds another text."""
    found = list(_TAG.finditer(content[:GROWN_LIMIT_BYTES]))
    if not found:
        return set_byte(content, random, ())
    element = random.choice(found)
    name = element[1]
    instead = random.choice(
        (
            b"",
            b"<" + name + b"/>",
            element[0] * random.choice((2, 100)),
            b"<" + name + b">" + random.choice(_NUMBERS) + b"</" + name + b">",
            b"<" + name + b">" * 40,
            b"<" + name + b">" + element[0] + b"</" + name + b">",
        )
    )
    return content[: element.start()] + instead + content[element.end() :]


MUTATIONS: Final[tuple[Mutation, ...]] = (
    *(flip_bits, set_byte, cut_out, end_early, insert, repeat, splice, lie),
    *(change_number, change_tree, change_element),
)
"""What a mutant is made by."""

READABLE: Final[tuple[Mutation, ...]] = (change_number, change_tree, change_element, lie)
"""What often leaves a message readable; as often used as all together."""
