"""Point lists of this installation: ``points/<interface>.csv`` in the home folder, for example ``.twin/points/25.csv``.

They tell decoders of telecontrol and register protocols what an address means (see :mod:`schemas.points`). A log may
bring its list along, in ``points/<interface>.csv`` beside its folder: it is taken over where there is none yet, so that
a replay knows it too.
"""

import shutil
from collections.abc import Iterable
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


def adopt(logs: Iterable[Path], interface: str) -> Path | None:
    """Take over the point list that lies beside one of these files or folders; where it lies now, None if nowhere.

    A list that is there already stays.

    Raises:
        SettingsError: the file is no point list.
        OSError: it cannot be copied.
    """
    name = Path("points") / f"{interface}.csv"
    taken = home_of() / name
    near = {folder / name: None for log in logs for folder in log.absolute().parents[:2]}
    for file in near:
        if not taken.exists() and file.is_file():
            _read(file, file.stat().st_mtime_ns)
            taken.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, taken)
            return taken
    return None


@lru_cache(maxsize=64)
def _read(file: Path, _changed_ns: int) -> PointList:
    try:
        return read_points(file.read_text("utf-8").splitlines())
    except (BadPointList, UnicodeDecodeError) as problem:
        raise SettingsError(f"{file}: {problem}") from problem
