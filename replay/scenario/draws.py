"""Chance that can be asked again: a number is a pure function of seed, purpose and coordinates.

Nothing is drawn in turn, so the world may be walked site by site or minute by minute, whole or in part,
and every number stays the same. The mixing function is SplitMix64's finaliser (Steele, Lea, Flood: Fast
splittable pseudorandom number generators, OOPSLA 2014), in whole numbers, so no platform rounds differently.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
"""Whole numbers, one for each site (and minute)."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_SHIFT_1, _SHIFT_2, _SHIFT_3, _HALF = (np.uint64(n) for n in (30, 27, 31, 32))


def _mix(state: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    state = (state ^ (state >> _SHIFT_1)) * _MIX_1
    state = (state ^ (state >> _SHIFT_2)) * _MIX_2
    return state ^ (state >> _SHIFT_3)


@dataclass(frozen=True, slots=True)
class Draws:
    """All chance of one scenario."""

    seed: int

    def between(self, purpose: str, low: int, high: int, *coordinates: int | Ints) -> Ints:
        """A number in ``[low, high)`` for every combination of the coordinates, which broadcast as in numpy.

        Raises:
            ValueError: an empty range, or one wider than 32 bits.

        >>> Draws(1).between("cloud", 0, 10, np.arange(4)).tolist()
        [0, 3, 5, 1]
        """
        span = high - low
        if not 0 < span <= 1 << 32:
            raise ValueError(f"{purpose}: no number lies in [{low}, {high}), or too many")
        digest = hashlib.blake2b(f"{self.seed}/{purpose}".encode(), digest_size=8).digest()
        state = np.array([int.from_bytes(digest, "big")], dtype=np.uint64)
        for coordinate in coordinates:
            state = _mix(state + np.atleast_1d(np.asarray(coordinate, dtype=np.int64)).astype(np.uint64) * _GOLDEN)
        return (((state >> _HALF) * np.uint64(span)) >> _HALF).astype(np.int64) + low

    def one(self, purpose: str, low: int, high: int, *coordinates: int) -> int:
        """As :meth:`between`, for a single combination."""
        return int(self.between(purpose, low, high, *coordinates)[0])
