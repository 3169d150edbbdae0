"""Files that are the log of a program: which formats are asked what its lines hold, and what is told of others."""

from collections.abc import Sequence

from schemas.interfaces import all_log_lines, format_of, spoken_at
from schemas.wire.contract import WireFormat
from schemas.wire.json_lines import BOM
from schemas.wire.program_logs import Foreign, MixedLog

__all__ = ["MixedLog", "program_log", "told_of"]


def program_log(accepted: Sequence[WireFormat], recognised: WireFormat | None, head: bytes) -> MixedLog | None:
    """The log a file is that starts so; None where it is read in the way of its own format.

    A log may begin with much that belongs to other interfaces: that it is a log, any known format may tell.
    """
    lines = {known.name: known.log_lines for known in accepted if known.log_lines is not None}
    if not lines:
        return None
    if recognised is not None and recognised.log_lines is not None:
        is_log = recognised.log_lines.is_log(head)
    else:
        is_json = head.removeprefix(BOM).lstrip().startswith(b"{")
        is_log = not is_json and any(known.is_log(head) for known in all_log_lines().values())
    if not is_log:
        return None
    return MixedLog(lines, lambda: {name: known for name, known in all_log_lines().items() if name not in lines})


def told_of(name: str, found: Foreign, interface: str) -> str:
    """What a person is told of messages of a format that an interface does not carry."""
    many = f"{found.lines:,} lines hold messages" if found.lines > 1 else "a line holds a message"
    kept = "; this is the first, and the others are not kept" if found.lines > 1 else ""
    where = ", ".join(spoken_at(name))
    return (
        f"{many} of {format_of(name).title}, which is not read on interface {interface}{kept}: "
        f"read the log once more with --interface, one of {where}"
    )
