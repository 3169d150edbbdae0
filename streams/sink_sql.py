"""The upserts: what happens when a row meets one that is already there.

The same lattice as in :mod:`twin.merge`, in SQL. Rows go in sorted by key, so that two workers never deadlock,
and a row that says nothing new is not written again.
"""

from typing import NamedTuple


class Upsert(NamedTuple):
    """A table's temporary twin, the COPY into it and the upsert out of it."""

    name: str
    staging: str
    copy: str
    upsert: str


def _upsert(name: str, columns: str, key: str, action: str, *, types: str = "", select: str = "") -> Upsert:
    staging = f"new_{name}"
    shape = f"({types})" if types else f"(like {name})"
    return Upsert(
        name,
        f"create temporary table if not exists {staging} {shape} on commit delete rows",
        f"copy {staging} ({columns}) from stdin (format binary)",
        f"insert into {name} ({columns}) select {select or columns} from {staging} order by {key} "  # noqa: S608 -- constants
        f"on conflict ({key}) {action}",
    )


def _side(side: str, later: str) -> str:
    """Assignments for the first (``later`` is ``<``) or last (``>``) reading of an edge."""
    new, old = f"excluded.{side}", f"edge.{side}"
    wins, ties = f"{new}_at {later} {old}_at", f"{new}_at = {old}_at"
    high = f"greatest({new}_mwh + {new}_spread_mwh, {old}_mwh + {old}_spread_mwh)"
    low = f"least({new}_mwh, {old}_mwh)"
    return f"""
        {side}_at = case when {wins} then {new}_at else {old}_at end,
        {side}_mwh = case when {wins} then {new}_mwh when {ties} then {low} else {old}_mwh end,
        {side}_spread_mwh = case when {wins} then {new}_spread_mwh when {ties} then {high} - {low}
            else {old}_spread_mwh end,
        {side}_position = case when {wins} then {new}_position
            when {ties} and {new}_mwh = {old}_mwh then least({new}_position, {old}_position)
            when {ties} and {new}_mwh < {old}_mwh then {new}_position
            else {old}_position end"""


_EDGE = f"""do update set {_side("first", "<")}, {_side("last", ">")}
    where excluded.first_at < edge.first_at or excluded.last_at > edge.last_at
       or (excluded.first_at = edge.first_at and
           (excluded.first_mwh, excluded.first_spread_mwh, excluded.first_position)
           is distinct from (edge.first_mwh, edge.first_spread_mwh, edge.first_position))
       or (excluded.last_at = edge.last_at and
           (excluded.last_mwh, excluded.last_spread_mwh, excluded.last_position)
           is distinct from (edge.last_mwh, edge.last_spread_mwh, edge.last_position))"""

_TWIN = """do update set value = excluded.value, unit = excluded.unit, at = excluded.at,
        event_id = excluded.event_id, position = excluded.position
    where (excluded.at, excluded.event_id) > (twin.at, twin.event_id)
       or (excluded.at = twin.at and excluded.event_id = twin.event_id and excluded.position < twin.position)"""

_TREND_WINS = "(excluded.last_at, excluded.last_event) > (trend.last_at, trend.last_event)"
_TREND = f"""do update set
        last = case when {_TREND_WINS} then excluded.last else trend.last end,
        last_event = case when {_TREND_WINS} then excluded.last_event else trend.last_event end,
        last_at = greatest(excluded.last_at, trend.last_at),
        low = least(excluded.low, trend.low),
        high = greatest(excluded.high, trend.high)
    where {_TREND_WINS} or excluded.low < trend.low or excluded.high > trend.high"""

TABLES = (
    _upsert(
        "register",
        "register_id, point, device, obis, direction, quality, document, digits",
        "register_id",
        "do update set digits = excluded.digits where excluded.digits > register.digits",
    ),
    _upsert("signal", "signal_id, actor, attribute", "signal_id", "do nothing"),
    _upsert("series", "series_id, series, object, unit", "series_id", "do nothing"),
    _upsert(
        "edge",
        "register_id, slot, first_at, first_mwh, first_spread_mwh, first_position, "
        "last_at, last_mwh, last_spread_mwh, last_position",
        "register_id, slot",
        _EDGE,
    ),
    _upsert("twin", "signal_id, value, unit, at, event_id, position", "signal_id", _TWIN),
    _upsert("trend", "signal_id, minute, last_at, last_event, last, low, high", "signal_id, minute", _TREND),
    _upsert(
        "sample",
        "point, quality, slot, packed",
        "point, quality, slot",
        "do update set packed = array(select distinct item from unnest(sample.packed || excluded.packed) as item"
        " order by item) where not sample.packed @> excluded.packed",
    ),
    _upsert(
        "slot_value",
        "series_id, slot, version, quality, value, position",
        "series_id, slot, version, quality, value",
        "do update set position = excluded.position where excluded.position < slot_value.position",
        types="series_id bigint, slot timestamptz, version text, quality smallint, value text, position bigint",
        select="series_id, slot, version, quality, value::numeric, position",
    ),
    _upsert(
        "quarantine",
        "id, interface, source, format, at, recorded_at, reason, detail, raw, context, position",
        "id",
        "do nothing",
    ),
)
"""In the order in which they are written, always."""
