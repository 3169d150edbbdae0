"""Identities of registers, signals and series: hashes of their names, so the same in every database."""

import hashlib


class Identities(dict[tuple[str | int, ...], int]):
    """From a natural key to its 64-bit identity, computed once per key.

    >>> Identities()["meter:1EMH0012345678", "power"] == Identities()["meter:1EMH0012345678", "power"]
    True
    """

    def __init__(self) -> None:
        """Know none yet."""
        super().__init__()
        self._words: dict[str | int, str | int] = {}

    def __missing__(self, key: tuple[str | int, ...]) -> int:
        """Compute and remember the identity of a key."""
        # An actor has some ten attributes, and each message brings its name anew: one copy is kept of each word.
        kept = tuple(self._words.setdefault(part, part) for part in key)
        identity = self[kept] = identity_of(key)
        return identity


def identity_of(key: tuple[str | int, ...]) -> int:
    """Signed 64-bit identity of a natural key.

    Among a million keys, two collide with a chance of one in thirty million.
    """
    digest = hashlib.blake2b(digest_size=8)
    for part in key:
        data = str(part).encode()
        digest.update(len(data).to_bytes(4, "big"))
        digest.update(data)
    return int.from_bytes(digest.digest(), "big", signed=True)
