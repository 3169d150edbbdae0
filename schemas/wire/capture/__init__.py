"""Packet captures (pcap, pcapng) as what was said over each connection, for every protocol that runs over TCP or UDP.

:mod:`~schemas.wire.capture.packets` reads the file, :mod:`~schemas.wire.capture.tcp` puts streams together again,
:mod:`~schemas.wire.capture.frames` cuts them into the messages of one protocol; :mod:`~schemas.wire.capture.logs` reads
the octets that programs log.
"""

from schemas.wire.capture.frames import Speech, frames_of, log_lines, recognise, split
from schemas.wire.capture.packets import is_capture

__all__ = ["Speech", "frames_of", "is_capture", "log_lines", "recognise", "split"]
