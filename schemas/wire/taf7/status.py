"""Status of a reading: the calibration authority's five steps, and the status word it follows from.

``statusPTB`` (VDE AR 2418-6, after PTB-A 50.8) is a number from 0 to 4. ``statusFNN`` (FNN Lastenheft Smart Meter
Gateway) is a word of 64 bits in hex: the gateway's 32, then the meter's 32 (FNN Lastenheft Basiszähler). Bit 0 of a
half is its least significant one. The halves are written with the least significant bit first (``A000000020000000``),
by some gateways with the most significant first (``0000000500000004``); the identification in the low eight bits of
each half tells which.
"""

import re
from enum import IntEnum, IntFlag
from typing import NamedTuple

_HEX = re.compile(r"[0-9A-Fa-f]{16}")
_HALF_BITS = 32


class Ptb(IntEnum):
    """Status of a reading as the calibration authority (PTB) orders it."""

    NO_ERROR = 0
    WARNING = 1
    """The reading is valid."""
    TEMPORARY_ERROR = 2
    """The reading is not valid, but may serve as a substitute value."""
    CRITICAL_TEMPORARY_ERROR = 3
    """The reading is not valid and may not serve as a substitute value."""
    FATAL_ERROR = 4
    """The meter is broken: this and all later readings are not valid."""


class Gateway(IntFlag):
    """The gateway's half of the status word."""

    TRANSPARENCY = 1 << 1
    """Relevant for billing, as the tariff use case says."""
    FATAL_ERROR = 1 << 8
    SYSTEM_TIME_INVALID = 1 << 9
    PTB_WARNING = 1 << 12
    PTB_TEMPORARY_ERROR = 1 << 13
    """No reading came from the meter in the window for it."""
    PTB_CRITICAL_ERROR = 1 << 14
    """Magnetic or mechanical manipulation."""
    OMS_ERROR = 1 << 15
    THRESHOLD = 1 << 16
    """A threshold that was crossed made the gateway send."""
    OMS_METER_WORD = 1 << 17
    """The meter's half follows the Open Metering System instead of the FNN."""


class Meter(IntFlag):
    """The meter's half of the status word."""

    STARTING = 1 << 8
    MAGNETIC_INFLUENCE = 1 << 9
    MANIPULATION = 1 << 10
    NEGATIVE_SUM = 1 << 11
    NEGATIVE_L1 = 1 << 12
    NEGATIVE_L2 = 1 << 13
    NEGATIVE_L3 = 1 << 14
    PHASE_SEQUENCE = 1 << 15
    """The phases do not turn L1, L2, L3."""
    BACKSTOP = 1 << 16
    FATAL_ERROR = 1 << 17
    VOLTAGE_L1 = 1 << 18
    VOLTAGE_L2 = 1 << 19
    VOLTAGE_L3 = 1 << 20


class StatusWord(NamedTuple):
    """Both halves; of an OMS meter's half no bit is named."""

    gateway: Gateway
    meter: Meter

    @property
    def ptb(self) -> Ptb:
        """The step that follows from the bits, the gravest first.

        >>> status_word("0000200500000004").ptb
        <Ptb.TEMPORARY_ERROR: 2>
        """
        gateway, meter = self
        if gateway & Gateway.FATAL_ERROR or meter & Meter.FATAL_ERROR:
            return Ptb.FATAL_ERROR
        if gateway & (Gateway.SYSTEM_TIME_INVALID | Gateway.PTB_CRITICAL_ERROR):
            return Ptb.CRITICAL_TEMPORARY_ERROR
        if meter & (Meter.MAGNETIC_INFLUENCE | Meter.MANIPULATION):
            return Ptb.CRITICAL_TEMPORARY_ERROR
        if gateway & Gateway.PTB_TEMPORARY_ERROR:
            return Ptb.TEMPORARY_ERROR
        return Ptb.WARNING if gateway & Gateway.PTB_WARNING else Ptb.NO_ERROR

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the bits set.

        >>> status_word("0000010500100504").names
        ('gateway.fatal-error', 'meter.starting', 'meter.manipulation', 'meter.voltage-l3')
        """
        halves = (("gateway", self.gateway), ("meter", self.meter))
        return tuple(f"{half}.{(bit.name or '').lower().replace('_', '-')}" for half, bits in halves for bit in bits)


def meter_status(word: int) -> Meter | None:
    """The meter's half, as a meter itself sends it; None where the identification does not fit.

    >>> meter_status(0x001C0104)
    <Meter.STARTING|VOLTAGE_L1|VOLTAGE_L2|VOLTAGE_L3: 1835264>
    """
    return Meter(word & 0x001F_FF00) if 0 <= word < 1 << _HALF_BITS and word & 0xFFE0_00FF == 0x04 else None


def status_word(text: str) -> StatusWord | None:
    """The status word in either spelling; None where the identification fits neither.

    >>> status_word("A000000020000000") == status_word("0000000500000004")
    True
    """
    if not _HEX.fullmatch(text):
        return None
    word = int(text, 16)
    halves = (word >> _HALF_BITS, word & 0xFFFFFFFF)
    for gateway, meter in (halves, (_reversed(halves[0]), _reversed(halves[1]))):
        is_oms = bool(gateway & Gateway.OMS_METER_WORD)
        if gateway & 0xFFFC_00FD == 0x05 and (is_oms or meter & 0xFFE0_00FF == 0x04):
            return StatusWord(Gateway(gateway & 0x0003_F302), Meter(0 if is_oms else meter & 0x001F_FF00))
    return None


def _reversed(half: int) -> int:
    return int(f"{half:032b}"[::-1], 2)
