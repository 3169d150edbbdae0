"""OCMF, the open charge metering format 1.0 to 1.4 (S.A.F.E. e.V.): signed meter readings of charging stations.

A record is ``OCMF|{payload}|{signature}``. It rides alone, in the XML container of the transparency software, in meter
values of OCPP and in charge detail records of OCPI. Everywhere :func:`explain` says what is in it and what of it holds.

Payload of an event, and of ``explain``::

    {"record": {...},                    as signed: numbers keep their digits
     "readings": [{"time", "clock": "S", "kind": "B", "obis": "1-0:1.8.0", "direction": "import" | "export" | "",
                   "value": 107.250, "unit": "kWh", "status": "G", "errors": "", "transaction": false}],
     "signature": {"valid": true, "reason": "", "detail": "", "algorithm": "ECDSA-secp256r1-SHA256", "key": "sha256"},
     "checks": [{"reason", "detail"}],   what does not hold beside the signature, each with a reason of its own
     "energy": {"import_mwh": 3200}}     of the transaction, where begin and end are known and nothing speaks against it
"""

from schemas.wire.contract import WireFormat
from schemas.wire.ocmf.container import recognise, split
from schemas.wire.ocmf.decoding import decode, explain
from schemas.wire.ocmf.record import parse_record
from schemas.wire.ocmf.signature import verify

FORMAT = WireFormat("ocmf", "OCMF records (text, or XML container)", recognise, split, decode)

__all__ = ["FORMAT", "explain", "parse_record", "verify"]
