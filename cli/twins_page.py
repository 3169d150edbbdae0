"""The page of the twins, printed from their models: ``python -m cli.twins_page`` writes it anew."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from schemas.interfaces import INTERFACES
from twin.actors import MODELS
from twin.actors.derived import DERIVED, Rule
from twin.actors.model import ANY_UNIT, Attribute, Tolerance, Twin
from twin.actors.relations import ENDS, TOGETHER_US
from twin.story import PARTS, TIES, Part, Tie

PAGE: Final = "docs/twins.md"

_HEAD: Final = """\
# The twins

Printed from the models in `twin/actors/` by `python -m cli.twins_page`; a test holds it current, and another holds the
models to what the decoders really say. In a name `*` stands for any text and `?` for one sign: a family of attributes.
*agree*: what two interfaces may say without contradicting each other (`twin show ACTOR --disputed`); where nothing
stands, values have to be equal, whenever they were said. Numbers of interfaces are those of `schemas/interfaces.csv`.
"""

_DERIVED: Final = """
## What follows by a rule

`twin show` says it beside the attributes, as of the time that is asked for; no message says it.

| of | attribute | unit | values | rules | meaning |
|---|---|---|---|---|---|
"""

_RELATIONS: Final = f"""
## Relations

What names another actor (*names a ...* above) is a relation: `twin graph` shows who belongs to whom, since when. What
was said last of either end holds. Names in `same_as` are names of one device; a car that is said to be at two EVSEs
within {TOGETHER_US // 1_000_000} s is at one EVSE that has two names. Some relations end with something else, said of
the EVSE or session under any of its names:

| of | relation | ends with | values |
|---|---|---|---|
"""

_PARTS: Final = """
Of a site's messages, those about these kinds of actors belong to a session at it, beside those that name the session:

| kinds | when |
|---|---|
"""

_TIES: Final = """
## How messages are tied together

`twin story` takes a message as part of a conversation when its actor belongs to it, when it says something of an actor
that does, or when one of these rules finds such a name in its payload.

| events | path in the payload | kind of name | what it is |
|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    parts = [_HEAD, *map(_section, MODELS.values())]
    parts += [_DERIVED, *map(_rule, DERIVED), _RELATIONS, *_endings(), _TIES, *map(_tie, TIES), _PARTS, *_parts_of()]
    return "".join(parts)


def _rule(rule: Rule) -> str:
    return f"| {' | '.join((rule.of, f'`{rule.attribute}`', rule.unit or '-', *rule[3:]))} |\n"


def _endings() -> Iterator[str]:
    for (kind, attribute), endings in ENDS.items():
        for ending, values in endings:
            said = "any" if values is None else ", ".join(map(str, values))
            yield f"| {kind} | `{attribute}` | `{ending}` | {said} |\n"


def _parts_of() -> Iterator[str]:
    for part in Part:
        yield f"| {', '.join(f'`{kind}`' for kind, when in PARTS.items() if when is part)} | {part.value} |\n"


def _tie(tie: Tie) -> str:
    return f"| `{tie.types}` | `{tie.path}` | {f'`{tie.kind}`' if tie.kind else 'as it is'} | {tie.meaning} |\n"


def _section(model: type[Twin]) -> str:
    lines = [f"\n## {model.KIND}\n\n{_sentence(model)}\n"]
    lines.append("\n| attribute | unit | allowed values | interfaces | agree | meaning |\n|---|---|---|---|---|---|\n")
    lines += [_row(entry) for entry in sorted(model.attributes().values(), key=lambda entry: entry.name)]
    return "".join(lines)


def _sentence(model: type[Twin]) -> str:
    return " ".join(part.strip() for part in (model.__doc__ or "").replace("``", "`").splitlines())


def _row(entry: Attribute) -> str:
    units = ", ".join("as sent" if unit == ANY_UNIT else unit or "-" for unit in entry.units)
    allowed = entry.allowed.shown + (", or none" if entry.optional else "")
    refers = (
        "" if entry.refers is None else f" (names {'several' if entry.refers.several else 'a'} `{entry.refers.kind}`)"
    )
    cells = [f"`{entry.name}`", units, allowed, _interfaces(entry), _agree(entry), entry.meaning + refers]
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |\n"


def _interfaces(entry: Attribute) -> str:
    return "all" if set(entry.interfaces) == set(INTERFACES) else ", ".join(entry.interfaces)


def _agree(entry: Attribute) -> str:
    return "" if entry.tolerance == Tolerance() else " ".join(_parts(entry))


def _parts(entry: Attribute) -> Iterator[str]:
    distance, share, window_us = entry.tolerance
    if distance:
        yield f"{distance} {entry.units[0]}".strip() + (" or" if share else "")
    if share:
        yield f"{share} %"
    if window_us is not None:
        yield f"within {window_us // 1_000_000} s"


def main() -> None:
    """Write the page."""
    file = Path(__file__).parent.parent / PAGE
    file.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
