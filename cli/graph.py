"""``twin graph``: who belongs to a site, as text, DOT or JSON."""

import time

import click

from cli.printing import as_json, console, scalar, table
from cli.times import TIME
from replay.relations import PART_OF, Site, site_of
from schemas.time import SECOND_US, format_time
from streams.settings import settings
from twin.actors.relations import Edge


@click.command()
@click.argument("site")
@click.option("--at", "at_us", type=TIME, help="As it was then; now where nothing is said.")
@click.option("--known-at", "known_us", type=TIME, help="As far as it was recorded by then.")
@click.option("--dot", is_flag=True, help="Print as a graph for Graphviz.")
@click.option("--json", "json_", is_flag=True, help="Print as JSON.")
def graph(site: str, at_us: int | None, known_us: int | None, dot: bool, json_: bool) -> None:
    """Show who belongs to a SITE: which car on which EVSE, behind which meter, who supplies it, since when.

    SITE is any of its members: a station, a meter, a metering or market location, a car; with its kind, as in
    evse:GS-00000/1, or without. What is known comes from messages and from the master data of interface 33.

    Example: twin graph GS-00000 --at 2026-03-29T17:00:00Z
    """
    if at_us is None:
        at_us = time.time_ns() // 1000
    found = site_of(settings(), site, at_us, known_us)
    if json_:
        click.echo(as_json({"at": format_time(at_us), "members": found.members, "relations": _json(found)}))
    elif dot:
        click.echo(_dot(site, found))
    else:
        _print(site, at_us, found)


def _json(site: Site) -> list[dict[str, object]]:
    return [
        {
            "from": edge.left,
            "relation": edge.relation,
            "to": edge.right,
            "since": _since(edge) or None,
            "event": edge.event_id or None,
        }
        for edge in site.edges
    ]


def _dot(name: str, site: Site) -> str:
    parties = sorted({edge.right for edge in site.edges} - set(site.members))
    lines = [f"digraph {_quoted(name)} {{", "  rankdir=LR;", "  node [shape=box];"]
    lines += [f"  {_quoted(member)};" for member in site.members]
    lines += [f"  {_quoted(party)} [shape=ellipse];" for party in parties]
    for edge in site.edges:
        label = _quoted(f"{edge.relation}\n{_since(edge)}".strip()).replace("\n", "\\n")
        lines.append(f"  {_quoted(edge.left)} -> {_quoted(edge.right)} [label={label}];")
    return "\n".join([*lines, "}"])


def _print(name: str, at_us: int, site: Site) -> None:
    rows = [[edge.left, edge.relation, edge.right, _since(edge)] for edge in site.edges]
    table(f"{name} at {format_time(at_us // SECOND_US * SECOND_US)}", ["who", "has as", "whom", "since"], rows)
    alone = [member for member in site.members if not any(member in {edge.left, edge.right} for edge in site.edges)]
    if alone:
        console.print(f"of no known relation: {', '.join(map(scalar, alone))}")


def _since(edge: Edge) -> str:
    return "" if edge.relation == PART_OF else format_time(edge.since_us)


def _quoted(text: str) -> str:
    return (
        '"'
        + "".join(sign for sign in text if sign.isprintable() or sign == "\n").replace("\\", "\\\\").replace('"', '\\"')
        + '"'
    )
