"""One decoder against many mutants, in a process of its own: time and memory of each message are held to limits."""

import logging
import multiprocessing
import resource
import signal
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from types import FrameType
from typing import Final, NoReturn

from replay.fuzz.judge import judge
from replay.fuzz.mutation import mutant
from replay.fuzz.seeds import Seed, seeds_of

MESSAGE_LIMIT_S: Final = 1.0
"""Processor time that one mutant may take, splitting, decoding and observing."""

MEMORY_LIMIT_BYTES: Final = 256 * 1024 * 1024
"""What the process may grow by, over what it has when every seed was read once."""

_HUNG_S: Final = 5.0
_PROBLEMS_KEPT: Final = 20


class Hung(BaseException):
    """A mutant still being read after five seconds; not an error that a reader may take for its decoder's."""


@dataclass
class Problem:
    """What went wrong with a mutant, and its bytes."""

    number: int
    interface: str
    content: bytes
    detail: str


@dataclass
class Result:
    """What became of a decoder's mutants; ``slowest_s`` is processor time, ``grown_bytes`` growth of the process."""

    name: str
    mutants: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    grown_bytes: int = 0
    seconds: float = 0.0
    problems: list[Problem] = field(default_factory=list)

    @property
    def events(self) -> int:
        """Messages that became events."""
        return self.outcomes["event"]

    @property
    def rejects(self) -> int:
        """Messages that went to the quarantine."""
        return self.outcomes.total() - self.outcomes["event"]


def mutant_of(name: str, number: int, seed: int) -> Seed:
    """A mutant by its number; the same for the same seed and the same good messages."""
    random = Random(f"{seed}/{name}/{number}")  # noqa: S311 -- chance that can be had again
    interfaces = sorted({good.interface for good in seeds_of(name)})
    interface = random.choice(interfaces)
    return Seed(interface, mutant([good.content for good in seeds_of(name) if good.interface == interface], random))


def run(name: str, count: int, seed: int, first: int = 0) -> Result:
    """So many mutants of one format, in a process of their own.

    What kills the process is a problem as well: of the mutant it was at. The run goes on behind it.
    """
    context = multiprocessing.get_context("spawn")
    total = Result(name)
    number, end = first, first + count
    while number < end:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_child, args=(theirs, name, number, end, seed), daemon=True)
        process.start()
        theirs.close()
        number = _listen(ours, total, number)
        process.join()
        if number < end:
            at = mutant_of(name, number, seed)
            detail = f"the process ended with {process.exitcode}"
            total.problems.append(Problem(number, at.interface, at.content, detail))
            number += 1
        if len(total.problems) >= _PROBLEMS_KEPT:
            break
    return total


def save(result: Result, folder: Path) -> list[Path]:
    """The bytes of every problem as a file; the name tells interface and number."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for problem in result.problems:
        path = folder / f"{result.name}-{problem.interface}-{problem.number}.bin"
        path.write_bytes(problem.content)
        path.with_suffix(".txt").write_text(problem.detail + "\n", "utf-8")
        paths.append(path)
    return paths


def _listen(ours: Connection, total: Result, number: int) -> int:
    """Take the results of a child, mutant ranges as they are done; the number of the mutant it did not finish."""
    try:
        while True:
            part: Result | int = ours.recv()
            if isinstance(part, int):
                number = part
                continue
            total.mutants += part.mutants
            total.outcomes += part.outcomes
            total.seconds += part.seconds
            total.slowest_s = max(total.slowest_s, part.slowest_s)
            total.grown_bytes = max(total.grown_bytes, part.grown_bytes)
            total.problems += part.problems
            number += part.mutants
    except EOFError:
        return number


def _child(theirs: Connection, name: str, first: int, end: int, seed: int) -> None:
    logging.disable()
    for good in seeds_of(name):
        judge(good.content, good.interface)
    had_bytes = _size_bytes()
    resource.setrlimit(resource.RLIMIT_AS, (had_bytes + MEMORY_LIMIT_BYTES, resource.RLIM_INFINITY))
    signal.signal(signal.SIGPROF, _hung)
    resident_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    for number in range(first, end):
        result = _one(name, number, seed)
        result.grown_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - resident_bytes
        theirs.send(result)
    theirs.close()


def _one(name: str, number: int, seed: int) -> Result:
    made = mutant_of(name, number, seed)
    result = Result(name, 1)
    detail = ""
    began_s = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, _HUNG_S)
    try:
        result.outcomes = judge(made.content, made.interface)
    except Hung:
        detail = f"still being read after {_HUNG_S:g} s"
    except Exception as problem:  # noqa: BLE001 -- whatever it is, it is what is looked for
        where = "".join(traceback.format_tb(problem.__traceback__)[-3:])
        detail = f"{type(problem).__name__}: {problem}\n{where}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    result.seconds = result.slowest_s = time.process_time() - began_s
    if result.seconds > MESSAGE_LIMIT_S and not detail:
        detail = f"{result.seconds:.2f} s of processor time for {len(made.content)} bytes"
    if detail:
        result.problems.append(Problem(number, made.interface, made.content, detail))
    return result


def _hung(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Hung


def _size_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    return pages * resource.getpagesize()
