"""The plan of the house, held by its imports and its syntax trees."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LEVELS = [{"cli"}, {"dashboards", "replay"}, {"streams"}, {"twin"}, {"schemas"}]
"""The rooms from top to bottom; what stands on one level does not know its neighbour."""

BELOW = {room: set().union(*LEVELS[level + 1 :]) for level, rooms in enumerate(LEVELS) for room in rooms}
BELOW["dashboards"] = {"schemas"}
ROOMS = set(BELOW)

MODULES = {path: ast.parse(path.read_text("utf-8")) for room in sorted(ROOMS) for path in (ROOT / room).rglob("*.py")}
PURE = {path: tree for path, tree in MODULES.items() if path.relative_to(ROOT).parts[0] in {"schemas", "twin"}}

LINES = 400

IMPURE = {
    "the clock": {"time", "sched"},
    "chance": {"random", "secrets", "uuid"},
    "environment and processes": {
        "asyncio",
        "multiprocessing",
        "os",
        "platform",
        "signal",
        "subprocess",
        "sys",
        "threading",
    },
    "the network": {"aiokafka", "confluent_kafka", "faust", "http", "httpx", "kafka", "requests", "socket", "ssl"},
    "files": {"fileinput", "glob", "mmap", "pathlib", "pyarrow", "shutil", "sqlite3", "tempfile"},
    "the database": {"duckdb", "psycopg"},
    "the log of the process": {"logging"},
}
CLOCK_CALLS = {"now", "utcnow", "today", "fromtimestamp", "localtime", "time_ns"}
WORLD_CALLS = {"open", "input", "print", "eval", "exec", "breakpoint", "hash", "id"}
"""``hash`` differs from process to process, ``id`` from run to run: neither may decide anything."""


def name(path):
    return str(path.relative_to(ROOT))


def imported(tree):
    """Modules that a syntax tree imports, wherever it does, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ".", node.lineno


def calls(tree):
    """Names that are called, with what stands before the dot, and the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            before, _, called = ast.unparse(node.func).rpartition(".")
            yield before, called, node.lineno


def test_imports_run_downwards_only():
    wrong = []
    for path, tree in MODULES.items():
        room = path.relative_to(ROOT).parts[0]
        for module, line in imported(tree):
            other = module.partition(".")[0]
            if other in ROOMS - BELOW[room] - {room}:
                wrong.append(f"{name(path)}:{line} imports {module}")
    assert wrong == []


def test_the_rooms_are_those_of_the_plan_and_no_module_stands_outside():
    outside = {path.name for path in ROOT.glob("*.py")}
    assert outside == set()
    assert all((ROOT / room / "__init__.py").exists() for room in ROOMS)


@pytest.mark.parametrize("what", IMPURE)
def test_meaning_and_vocabulary_import_nothing_of(what):
    wrong = [
        f"{name(path)}:{line} imports {module}"
        for path, tree in PURE.items()
        for module, line in imported(tree)
        if module.partition(".")[0] in IMPURE[what]
    ]
    assert wrong == []


def test_meaning_and_vocabulary_ask_no_clock_no_chance_and_no_file():
    wrong = [
        f"{name(path)}:{line} calls {before}.{called}"
        for path, tree in PURE.items()
        for before, called, line in calls(tree)
        if (not before and called in WORLD_CALLS)
        or (before.rpartition(".")[2] in {"datetime", "date", "time"} and called in CLOCK_CALLS)
        or before.endswith(".random")
        or f"{before}.{called}" in {"io.open", "io.FileIO", "gzip.open", "urllib.request.urlopen"}
    ]
    assert wrong == []


def test_only_the_calendar_knows_a_time_zone():
    knowing = [name(path) for path, tree in MODULES.items() if any(m == "zoneinfo" for m, _ in imported(tree))]
    assert knowing == ["schemas/calendar.py"]


def test_package_data_is_read_by_the_vocabulary_alone():
    """Catalogue, SQL and published schemas are part of the program; nothing else may be read in pure rooms."""
    reading = {name(path) for path, tree in PURE.items() if any(m == "importlib.resources" for m, _ in imported(tree))}
    assert all(path.startswith("schemas/") for path in reading)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_can_be_read_in_one_sitting(path):
    lines = path.read_text("utf-8").count("\n")
    assert lines <= LINES, f"{lines} lines: where a module grows over {LINES}, it holds two ideas"


def is_exact(path):
    return not name(path).startswith("twin/merge/")  # trends are drawn, not billed


@pytest.mark.parametrize("path", [path for path in PURE if is_exact(path)], ids=name)
def test_quantities_are_exact(path):
    """Only a protocol whose numbers are binary fractions may be written with one."""
    tree = PURE[path]
    numbers = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Constant) and type(node.value) is float]
    written = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "struct.pack"
    ]
    on_the_wire = {line for node in written for _, called, line in calls(node) if called == "float"}
    made = [line for _, called, line in calls(tree) if called == "float" and line not in on_the_wire]
    assert numbers + made == [], "energy is integer mWh, everything else Decimal"


def test_the_merge_is_exact_but_for_what_is_drawn():
    making = {name(path) for path, tree in PURE.items() if any(called == "float" for _, called, _ in calls(tree))}
    assert {path for path in making if path.startswith("twin/")} == {"twin/merge/observations.py"}
