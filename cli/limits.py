"""``twin limits``: events under section 14a EnWG at a site, with their evidence."""

from datetime import date
from decimal import Decimal
from typing import Any, Final

import click

from cli.printing import as_json, console, scalar, table
from cli.times import DAY, TIME
from replay.limits import limits_of
from schemas.calendar import local_time
from schemas.time import format_time
from streams.settings import settings
from twin.settlement.section_14a import Event, Guarantee
from twin.settlement.section_14a.evidence import Quarter


@click.command()
@click.argument("site")
@click.argument("day", type=DAY)
@click.option("--known-at", "known_us", type=TIME, help="As far as it was recorded by then.")
@click.option("--json", "json_", is_flag=True, help="Print as JSON.")
def limits(site: str, day: date, known_us: int | None, json_: bool) -> None:
    """Show the limits of a legal German DAY at a SITE under section 14a EnWG, and whether they were kept.

    SITE is any of its members, as in `twin graph`. Each event has its ceiling, what was guaranteed meanwhile (P_min, by
    which rules; less is a breach; for all loads behind an energy manager, or for each where master data say that there
    is none), when it was received, took effect and was released, who was told under which order,
    and for each quarter hour the most that the connection drew in a minute of it. A limit is kept where that is no more
    than the ceiling in every minute. Where it is more, other loads of the house may have drawn it: it is not shown.

    Exit code 1 when there was no event.

    Example: twin limits GS-00010 2026-03-29
    """
    found = limits_of(settings(), site, day, known_us)
    if not found:
        known = "is known" if known_us is None else f"was known at {format_time(known_us)}"
        raise click.ClickException(f"no limit under section 14a {known} of {site} on {day}")
    if json_:
        click.echo(as_json([_json(event) for event in found]))
        return
    for event in found:
        _print(site, event)


def _json(event: Event) -> dict[str, Any]:
    return {
        "from": format_time(event.from_us),
        "until": format_time(event.until_us),
        "ceiling_mw": event.ceiling_mw,
        "guaranteed_mw": None if event.owed is None else event.owed.power_mw,
        "guaranteed_to": _addressee(event.owed),
        "guaranteed_up_to_mw": None if event.owed is None else event.owed.most_mw,
        "loads": None if event.owed is None else event.owed.loads,
        "breach": event.is_breach,
        "received": format_time(event.received_us),
        "effective": _time(event.effective_us),
        "released": _time(event.released_us),
        "already_below": event.already_below,
        "told": [{"object": thing, "order": order} for thing, order in event.origins],
        "verdict": event.verdict,
        "rules": event.rules,
        "quarter_hours": [_quarter_json(quarter) for quarter in event.quarters],
    }


def _addressee(owed: Guarantee | None) -> str | None:
    if owed is None:
        return None
    return "energy-manager" if owed.most_mw is None else "each-load"


def _quarter_json(quarter: Quarter) -> dict[str, Any]:
    measured = {"highest_mw": quarter.highest_mw, "minutes": quarter.minutes, "verdict": quarter.verdict}
    return {"slot": format_time(quarter.slot_us), "ceiling_mw": quarter.ceiling_mw} | measured


def _print(site: str, event: Event) -> None:
    rows = [
        [
            local_time(quarter.slot_us).isoformat(),
            _kw(quarter.ceiling_mw),
            _kw(quarter.highest_mw),
            quarter.minutes,
            quarter.verdict,
        ]
        for quarter in event.quarters
    ]
    columns = ["slot (legal time)", "ceiling, kW", "most in a minute, kW", "minutes", "limit"]
    table(f"{site}: limited to {_kw(event.ceiling_mw)} kW, {event.verdict}", columns, rows)
    if event.owed is None:
        console.print("guaranteed: not known, for master data (interface 33) tell no loads")
    else:
        console.print(f"{_BREACH[event.is_breach]}: {_guaranteed(event.owed)}, by {event.rules}")
    below = {True: "already below it", False: "above it before", None: "not measured before"}[event.already_below]
    moments = (("received", event.received_us), ("effective", event.effective_us), ("released", event.released_us))
    console.print(", ".join([*(f"{word} {_time(at_us) or 'not told'}" for word, at_us in moments), below]))
    for thing, order in event.origins:
        console.print(scalar(f"told: {thing}, order {order}"), markup=False)


_BREACH: Final = {
    True: "a breach: less than guaranteed",
    False: "no less than guaranteed",
    None: "a breach where it is for a load that is owed more",
}


def _guaranteed(owed: Guarantee) -> str:
    """What is guaranteed, in words."""
    loads = f"{owed.loads} load{'' if owed.loads == 1 else 's'}"
    if owed.most_mw is None:
        return f"{_kw(owed.power_mw)} kW for {loads} behind an energy manager"
    most = "" if owed.most_mw == owed.power_mw else f" to {_kw(owed.most_mw)}"
    return f"{_kw(owed.power_mw)}{most} kW for each of {loads}, limited one by one"


def _time(time_us: int | None) -> str | None:
    return None if time_us is None else format_time(time_us)


def _kw(power_mw: int | None) -> str:
    return "-" if power_mw is None else f"{Decimal(power_mw).scaleb(-6):.3f}"
