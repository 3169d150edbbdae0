"""A whole day: the world walked once, every message in order of time, files and truth written."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from replay.scenario.document import Document
from replay.scenario.faults import DEFAULT_FAULTS, Faults, disturbed
from replay.scenario.message import Message, Orderly
from replay.scenario.plan import DayPlan, plan_day
from replay.scenario.setting import ISO15118_CARS, Setting
from replay.scenario.street import Street
from replay.scenario.truth import Truth, write_truth
from replay.scenario.world import Quarter, State, first_state, walk
from replay.scenario.writers import (
    aggregator,
    captures,
    control,
    eebus_battery,
    eebus_control,
    eebus_frames,
    eebus_wallbox,
    entsoe,
    exi,
    master_data,
    mbus,
    modbus,
    mscons,
    mscons_onward,
    ocpi,
    ocpp,
    ocpp_dispatch,
    ocpp_maker,
    pilot,
    sml,
    taf7,
    tariff,
    telecontrol,
)
from replay.scenario.writers.ocpp_frames import line_of
from replay.scenario.writers.point_lists import LINKS, point_lists
from schemas.time import MINUTE_US, SLOT_US

Progress = Callable[[int, int], None]
"""Called after each quarter hour with how many are done and how many there are."""


class Speakers(Protocol):
    """All who speak live on one interface, through one day; they are told each quarter hour in order."""

    def messages(self, quarter: Quarter) -> Iterator[Message]:
        """What they say in a quarter hour, in any order, at most :data:`EARLIEST_US` before it begins."""


_SPEAKERS: Final[tuple[Callable[[Street, DayPlan, Setting], Speakers], ...]] = (
    lambda street, plan, setting: ocpp.Stations(
        street, plan, interval_s=setting.ocpp_interval_s, faults=setting.faults, first_day=setting.first_day
    ),
    lambda street, plan, _: eebus_wallbox.Wallboxes(street, plan),
    lambda street, plan, setting: eebus_control.ControlBoxes(street, plan, setting.faults),
    lambda street, plan, setting: ocpp_maker.Makers(street, plan, setting.faults),
    lambda street, plan, _: ocpp_dispatch.Dispatch(street, plan),
    lambda street, plan, setting: ocpi.Sessions(street, plan, setting.first_day),
    lambda street, plan, setting: sml.Meters(street, plan, setting.faults, interval_s=setting.sml_interval_s),
)
"""Who speaks live, more of them the longer the street: this is the benchmark's mix of messages (:func:`messages`)."""

_FEW: Final[tuple[Callable[[Street, DayPlan, Setting], Speakers], ...]] = (
    lambda street, plan, _: modbus.Assets(street, plan),
    lambda street, plan, _: eebus_battery.Batteries(street, plan),
    lambda street, plan, _: mbus.Submeters(street, plan),
    lambda street, plan, setting: telecontrol.ControlRooms(street, plan, interval_s=setting.sml_interval_s),
    lambda street, plan, setting: exi.Cars(street, plan, setting.iso15118_cars),
    lambda street, plan, _: pilot.Pilots(street, plan),
)
"""Who speaks live too, but no more of them the longer the street is; a written day has them, :func:`messages` has not.

A new writer is added here or above, and where its messages lie below.
"""

_LOGS: Final[dict[str, tuple[str, Callable[[Message], bytes]]]] = {
    eebus_wallbox.INTERFACE: ("wallboxes.eebus.jsonl", eebus_frames.line_of),
    eebus_control.INTERFACE: ("control-boxes.eebus.jsonl", eebus_frames.line_of),
    "4": ("street.ocpp.jsonl", line_of),
    "5": ("maker.ocpp.jsonl", line_of),
    "14": ("aggregator.ocpp.jsonl", line_of),
    exi.INTERFACE: ("cables.v2gtp.log", sml.line_of),
    pilot.LOG: ("pilots.jsonl", pilot.line_of),
    ocpi.INTERFACE: ("sessions.ocpi.jsonl", ocpi.line_of),
    sml.GATEWAY: ("street.sml.log", sml.line_of),
    sml.HAN: ("street.sml.log", sml.line_of),
    mbus.LOG: ("submeters.mbus.log", sml.line_of),
    modbus.INTERFACE: ("inverters.modbus.log", sml.line_of),
    eebus_battery.LOG: ("batteries.eebus.jsonl", eebus_frames.line_of),
    modbus.DUMPS: ("storages.modbus.jsonl", modbus.dump_of),
    **dict.fromkeys(LINKS, ("control-rooms.iec104.log", telecontrol.line_of)),
}
"""By interface, or by log where an interface has several: the file's name, and how a message is written into it."""


def _log(name: str) -> tuple[str, Callable[[Message], bytes]]:
    """The file's name of a log, and what writes its messages into it, the first one first."""
    captured = captures.file_of(name)
    return (captured, captures.Capture(name)) if captured else _LOGS[name]


def logged(message: Message) -> bytes:
    """A message as its log holds it; of a capture, one that begins with it."""
    return _log(message.log or message.interface)[1](message)


_DOCUMENTS: Final[tuple[Callable[[Truth], Iterator[Document]], ...]] = (
    taf7.documents,
    taf7.handed_over,
    mscons.documents,
    mscons_onward.documents,
    entsoe.documents,
    tariff.documents,
    aggregator.documents,
    control.documents,
    master_data.documents,
    ocpi.documents,
)
"""What is sent as a file of its own, before the day or when it is over."""

EARLIEST_US: Final = 2 * MINUTE_US


@dataclass(frozen=True, slots=True)
class DayWritten:
    """What was written: files of native messages, how many messages for each interface, the truth, point lists.

    The lists say what an address of telecontrol means; ``twin`` takes them over (:func:`streams.points.adopt`).
    """

    files: tuple[Path, ...]
    messages: dict[str, int]
    truth: tuple[Path, ...]
    points: tuple[Path, ...]


class Day:
    """One day of the street; the live messages can be had once, the truth is complete after them."""

    def __init__(self, day: date, setting: Setting) -> None:
        self.setting = setting
        self.street = Street(setting.seed, setting.sites)
        self.plan = plan_day(self.street, day)
        self.truth = Truth(self.street, self.plan, interval_s=setting.sml_interval_s, faults=setting.faults)

    def live(self, on_progress: Progress | None = None, *, few: bool = True) -> Iterator[Message]:
        """What stations and meters say, in order of time and without faults of the way; also the few, or not."""
        orderly = Orderly(EARLIEST_US)
        makers = (*_SPEAKERS, *_FEW) if few else _SPEAKERS
        all_speakers = [make(self.street, self.plan, self.setting) for make in makers]
        for quarter in walk(self.street, self.plan, self._state()):
            self.truth.take(quarter)
            said = chain.from_iterable(speakers.messages(quarter) for speakers in all_speakers)
            yield from orderly.take(said, quarter.start_us + SLOT_US)
            if on_progress is not None:
                on_progress(quarter.number + 1, len(self.plan.slots))
        yield from orderly.rest()

    def _state(self) -> State:
        """The state at the start of the day."""
        state = first_state(self.street)
        day = self.setting.first_day or self.plan.day
        while day < self.plan.day:
            for quarter in walk(self.street, plan_day(self.street, day), state):
                state = quarter.end
            day += timedelta(days=1)
        return state


def write_day(
    day: date,
    out: Path,
    *,
    sites: int = 12,
    seed: int = 1,
    sml_interval_s: int = 60,
    ocpp_interval_s: int = 60,
    faults: Faults = DEFAULT_FAULTS,
    first_day: date | None = None,
    iso15118_cars: int = ISO15118_CARS,
    on_progress: Progress | None = None,
) -> DayWritten:
    """Write a day's native messages into ``out/<interface>/``, what really happened into ``out/truth/``.

    Beside them lie the point lists of telecontrol, in ``out/points/``.

    Raises:
        ValueError: no or too many sites, or an interval that does not divide a quarter hour.
        OSError: a file cannot be written.
        CodecUnavailable: cars are to speak ISO 15118, and there is no EXI codec to be had.
    """
    setting = Setting(sites, seed, sml_interval_s, ocpp_interval_s, faults, first_day, iso15118_cars)
    story = Day(day, setting)
    files, counts = _write_logs(story, out, on_progress)
    _write_documents(story, out, files, counts)
    truth = write_truth(story.truth, out / "truth", setting.faults)
    return DayWritten(tuple(files), counts, tuple(truth), tuple(_write_points(out / "points")))


def messages(day: date, setting: Setting) -> Iterator[Message]:
    """The live messages of a day in order of time, with the faults of the way; nothing is written.

    Of those who are more the longer the street is: the benchmark's mix, the same from one to 10,000 sites.
    """
    return disturbed(Day(day, setting).live(few=False), setting.faults, setting.seed)


def _write_logs(story: Day, out: Path, on_progress: Progress | None) -> tuple[list[Path], dict[str, int]]:
    counts: dict[str, int] = {}
    paths: list[Path] = []
    with ExitStack() as stack:
        files: dict[str, tuple[BinaryIO, Callable[[Message], bytes]]] = {}
        for message in disturbed(story.live(on_progress), story.setting.faults, story.setting.seed):
            interface, log = message.interface, message.log or message.interface
            if log not in files:
                name, write = _log(log)
                path = _folder(out, interface) / name
                paths.append(path)
                files[log] = (stack.enter_context(path.open("wb")), write)
            file, write = files[log]
            file.write(write(message))
            counts[interface] = counts.get(interface, 0) + 1
    return paths, counts


def _write_documents(story: Day, out: Path, paths: list[Path], counts: dict[str, int]) -> None:
    for write in _DOCUMENTS:
        for document in write(story.truth):
            path = _folder(out, document.interface) / document.name
            path.write_bytes(document.raw)
            paths.append(path)
            counts[document.interface] = counts.get(document.interface, 0) + document.messages


def _write_points(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for listed in point_lists():
        path = folder / listed.name
        path.write_bytes(listed.raw)
        yield path


def _folder(out: Path, interface: str) -> Path:
    folder = out / interface.zfill(2)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
