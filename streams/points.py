"""Point lists of this installation: ``points/<interface>.csv`` in the home folder, for example ``.twin/points/25.csv``.

They tell decoders of telecontrol and register protocols what an address means (see :mod:`schemas.points`).
"""

from functools import lru_cache
from pathlib import Path

from schemas.points import BadPointList, PointList, read_points
from streams.settings import SettingsError, home_of


def points_of(interface: str) -> PointList | None:
    """The point list of an interface; None where there is none.

    Raises:
        SettingsError: the file is no point list.
    """
    file = home_of() / "points" / f"{interface}.csv"
    try:
        return _read(file, file.stat().st_mtime_ns)
    except (FileNotFoundError, NotADirectoryError):
        return None


@lru_cache(maxsize=64)
def _read(file: Path, _changed_ns: int) -> PointList:
    try:
        return read_points(file.read_text("utf-8").splitlines())
    except (BadPointList, UnicodeDecodeError) as problem:
        raise SettingsError(f"{file}: {problem}") from problem
