"""The signature of a record, checked over the exact octets; every way to fail has a reason of its own.

| reason | meaning |
|---|---|
| ``signature-missing`` | the record has no signature section, or an empty one |
| ``algorithm-unknown`` | none of the algorithms of the specification |
| ``key-unknown`` | nobody says the meter's public key |
| ``key-malformed`` | the key cannot be read |
| ``key-of-other-curve`` | a good key, but not for this algorithm |
| ``signature-malformed`` | not a DER signature in hex or base64 |
| ``signature-wrong`` | signed by another key, or changed afterwards |
"""

import binascii
import hashlib
import re
from typing import Any, Final, NamedTuple

import ecdsa
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

DEFAULT_ALGORITHM: Final = "ECDSA-secp256r1-SHA256"

_HEX: Final = re.compile(r"[0-9A-Fa-f]+")
_CURVES: Final[dict[str, type[ec.EllipticCurve]]] = {
    "secp192r1": ec.SECP192R1,
    "secp256k1": ec.SECP256K1,
    "secp256r1": ec.SECP256R1,
    "secp384r1": ec.SECP384R1,
    "secp521r1": ec.SECP521R1,
    "brainpool256r1": ec.BrainpoolP256R1,
    "brainpoolp256r1": ec.BrainpoolP256R1,
    "brainpool384r1": ec.BrainpoolP384R1,
    "brainpoolp384r1": ec.BrainpoolP384R1,
}
_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}

_KOBLITZ_192: Final = "secp192k1"
_FIELD: Final = (1 << 192) - (1 << 32) - 4553
_CURVE: Final = ecdsa.ellipticcurve.CurveFp(_FIELD, 0, 3, 1)
_SECP192K1: Final = ecdsa.curves.Curve(
    "SECP192k1",
    _CURVE,
    ecdsa.ellipticcurve.PointJacobi(
        _CURVE,
        0xDB4FF10EC057E9AE26B07D0280B7F4341DA5D1B1EAE06C7D,
        0x9B2F2F6D9C5628A7844163D015BE86344082AA88D95E2F9D,
        1,
        0xFFFFFFFFFFFFFFFFFFFFFFFE26F2FC170F69466A74DEFD8D,
        generator=True,
    ),
    (1, 3, 132, 0, 31),
)
"""Domain parameters: SEC 2 (version 2.0), 2.2.1."""

_SECP192K1_HEAD: Final = bytes.fromhex("3046301006072a8648ce3d020106052b8104001f033200")
"""What stands before the point in a SubjectPublicKeyInfo of this curve (RFC 5480)."""


class Verdict(NamedTuple):
    """What came of the check; ``key`` is the SHA-256 of the public key in DER, empty where none could be read."""

    valid: bool
    reason: str = ""
    detail: str = ""
    algorithm: str = DEFAULT_ALGORITHM
    key: str = ""


def verify(signed: bytes, signature: dict[str, Any], public_key: str) -> Verdict:
    """Check a signature section over the octets it signs, with a public key in hex or base64 (DER, or bare point)."""
    algorithm = str(signature.get("SA") or DEFAULT_ALGORITHM)
    verdict = Verdict(valid=False, algorithm=algorithm[:80])
    if not signature.get("SD"):
        return verdict._replace(reason="signature-missing", detail="the record has no signature (SD)")
    name, _, digest = algorithm.removeprefix("ECDSA-").rpartition("-")
    if name.lower() not in {*_CURVES, _KOBLITZ_192} or digest not in _HASHES:
        return verdict._replace(reason="algorithm-unknown", detail=f"{algorithm[:80]!r} is not of OCMF")
    try:
        octets = _octets(str(signature["SD"]), str(signature.get("SE") or "hex"))
        decode_dss_signature(octets)
    except ValueError:
        return verdict._replace(reason="signature-malformed", detail="SD is no DER signature in hex or base64")
    if not public_key:
        return verdict._replace(reason="key-unknown", detail="neither message nor container says the public key")
    try:
        key = _octets(public_key)
    except ValueError:
        return verdict._replace(reason="key-malformed", detail="the public key is neither hex nor base64")
    verdict = verdict._replace(key=hashlib.sha256(key).hexdigest())
    if name.lower() == _KOBLITZ_192:
        return _with_koblitz_192(verdict, signed, octets, key)
    return _with_library(verdict, signed, octets, key, _CURVES[name.lower()], _HASHES[digest])


def _octets(text: str, encoding: str = "") -> bytes:
    """Octets in hex or base64; ValueError where it is neither."""
    bare = "".join(text.split())
    if encoding != "base64" and _HEX.fullmatch(bare):
        return bytes.fromhex(bare)
    try:
        return binascii.a2b_base64(bare, strict_mode=True)
    except binascii.Error as problem:
        raise ValueError(str(problem)) from None


def _with_library(
    verdict: Verdict,
    signed: bytes,
    signature: bytes,
    key: bytes,
    curve: type[ec.EllipticCurve],
    digest: hashes.HashAlgorithm,
) -> Verdict:
    try:
        if key[:1] == b"\x04":
            public: Any = ec.EllipticCurvePublicKey.from_encoded_point(curve(), key)
        else:
            public = load_der_public_key(key)
    except (ValueError, UnsupportedAlgorithm) as problem:
        return verdict._replace(reason="key-malformed", detail=f"the public key cannot be read: {problem}"[:200])
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, curve):
        detail = f"the public key is not one for {verdict.algorithm}"
        return verdict._replace(reason="key-of-other-curve", detail=detail)
    try:
        public.verify(signature, signed, ec.ECDSA(digest))
    except InvalidSignature:
        return _wrong(verdict)
    return verdict._replace(valid=True)


def _with_koblitz_192(verdict: Verdict, signed: bytes, signature: bytes, key: bytes) -> Verdict:
    """The curve that ``cryptography`` does not have."""
    point = key.removeprefix(_SECP192K1_HEAD)
    if point[:1] != b"\x04" or len(point) != 49:
        kind = "key-of-other-curve" if key[:1] == b"\x30" and len(key) > 60 else "key-malformed"
        return verdict._replace(reason=kind, detail=f"the public key is not one for {verdict.algorithm}")
    try:
        public = ecdsa.VerifyingKey.from_string(point, curve=_SECP192K1)
    except (ecdsa.keys.MalformedPointError, AssertionError):
        return verdict._replace(reason="key-malformed", detail="the public key is no point of the curve")
    name = verdict.algorithm.rpartition("-")[2].lower()
    try:
        decoder = ecdsa.util.sigdecode_der
        public.verify(signature, signed, hashfunc=getattr(hashlib, name), sigdecode=decoder, allow_truncate=True)
    except (ecdsa.BadSignatureError, ecdsa.der.UnexpectedDER, AssertionError):
        return _wrong(verdict)
    return verdict._replace(valid=True)


def _wrong(verdict: Verdict) -> Verdict:
    detail = "the signature is not of these octets with this key: changed afterwards, or another meter's key"
    return verdict._replace(reason="signature-wrong", detail=detail)
