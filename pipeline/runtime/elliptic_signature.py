"""Verifies ECDSA signatures (FIPS 186-5, section 6.4.2) on NIST's curves P-256, P-384 and P-521.

A server only ever verifies: key, signature and message are public, so there is nothing that the time of
the arithmetic could give away. That is why these lines may stand here, in place of a library with two
more behind it in every server's image; signing stays with `cryptography` (docs/adr/0051).
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

Point = tuple[int, int, int]
"""A point in Jacobian coordinates: x = X/Z², y = Y/Z³; the one at infinity has Z = 0."""

_INFINITY: Point = (1, 1, 0)
_PEM_BEGIN, _PEM_END = b"-----BEGIN PUBLIC KEY-----", b"-----END PUBLIC KEY-----"
_PEM_LINE = 64


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A curve y² = x³ − 3x + b over the integers modulo p (FIPS 186-5, SP 800-186).

    Attributes:
        order: of the base point.
        header: of the DER of a public key, up to its coordinates, which stand uncompressed.
        digest: name of the hash that model signing takes with this curve; no longer than the order.
    """

    p: int
    b: int
    order: int
    base: tuple[int, int]
    header: bytes
    digest: str

    @cached_property
    def coordinate_bytes(self) -> int:
        """Length of a coordinate in the key's DER."""
        return (self.p.bit_length() + 7) // 8

    def has(self, x: int, y: int) -> bool:
        """Whether a point lies on the curve."""
        in_range = 0 <= x < self.p and 0 <= y < self.p
        return in_range and (y * y - (x * x - 3) * x - self.b) % self.p == 0


@dataclass(frozen=True, kw_only=True)
class EllipticKey:
    """A public key: a point of a curve. `pem` is its one usual spelling."""

    curve: Curve
    x: int
    y: int
    pem: bytes = field(repr=False)


def read_key(pem: bytes) -> EllipticKey:
    """The public key in a PEM file.

    Raises:
        ValueError: it is no PEM, of another kind or curve, or its point is not on the curve.
    """
    lines = pem.strip().splitlines()
    if len(lines) < 3 or (lines[0].strip(), lines[-1].strip()) != (_PEM_BEGIN, _PEM_END):
        raise ValueError("the public key is no PEM")
    try:
        der = base64.b64decode(b"".join(line.strip() for line in lines[1:-1]), validate=True)
    except ValueError as error:
        raise ValueError(f"the public key is no PEM ({error})") from error
    for curve in CURVES.values():
        size = curve.coordinate_bytes
        if der.startswith(curve.header) and len(der) == len(curve.header) + 2 * size:
            x, y = (int.from_bytes(part) for part in (der[-2 * size : -size], der[-size:]))
            if not curve.has(x, y):
                raise ValueError("the public key is no point of its curve")
            return EllipticKey(curve=curve, x=x, y=y, pem=_as_pem(der))
    raise ValueError("the public key is not of P-256, P-384 or P-521")


def holds(signature: bytes, message: bytes, *, key: EllipticKey) -> bool:
    """Whether a DER signature of the message is by this key; False for any other bytes."""
    numbers = _signature_numbers(signature)
    curve, order = key.curve, key.curve.order
    if numbers is None or not all(0 < number < order for number in numbers):
        return False
    r, s = numbers
    digest = int.from_bytes(hashlib.new(curve.digest, message).digest())
    inverse = pow(s, -1, order)
    point = _sum_of_products(
        curve,
        (digest * inverse % order, (*curve.base, 1)),
        (r * inverse % order, (key.x, key.y, 1)),
    )
    if point[2] == 0:
        return False
    return point[0] * pow(point[2], -2, curve.p) % curve.p % order == r


def _sum_of_products(curve: Curve, one: tuple[int, Point], other: tuple[int, Point]) -> Point:
    """Returns a·A + b·B for (a, A) and (b, B), bit by bit for both at once."""
    (a, first), (b, second) = one, other
    both = _add(curve.p, first, second)
    total = _INFINITY
    for place in range(max(a.bit_length(), b.bit_length()) - 1, -1, -1):
        total = _double(curve.p, total)
        bits = a >> place & 1, b >> place & 1
        if any(bits):
            term = both if all(bits) else first if bits[0] else second
            total = _add(curve.p, total, term)
    return total


def _double(p: int, point: Point) -> Point:
    """Returns 2·P."""
    x, y, z = point
    delta, gamma = z * z % p, y * y % p
    beta, alpha = x * gamma % p, 3 * (x - delta) * (x + delta) % p
    x3 = (alpha * alpha - 8 * beta) % p
    z3 = ((y + z) * (y + z) - gamma - delta) % p
    return x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % p, z3


def _add(p: int, one: Point, other: Point) -> Point:
    """Returns P + Q, whichever points they are."""
    if one[2] == 0 or other[2] == 0:
        return other if one[2] == 0 else one
    (x1, y1, z1), (x2, y2, z2) = one, other
    square1, square2 = z1 * z1 % p, z2 * z2 % p
    u1, u2 = x1 * square2 % p, x2 * square1 % p
    s1, s2 = y1 * square2 * z2 % p, y2 * square1 * z1 % p
    if u1 == u2:
        return _double(p, one) if s1 == s2 else _INFINITY
    h, slope = u2 - u1, s2 - s1
    h2 = h * h % p
    h3, v = h * h2 % p, u1 * h2 % p
    x3 = (slope * slope - h3 - 2 * v) % p
    return x3, (slope * (v - x3) - s1 * h3) % p, z1 * z2 * h % p


def _signature_numbers(signature: bytes) -> tuple[int, int] | None:
    """The numbers r and s in DER; None where the bytes are not exactly what DER makes of two numbers."""
    try:
        start = 3 if signature[1] & 0x80 else 2
        first_end = start + 2 + signature[start + 1]
        r = int.from_bytes(signature[start + 2 : first_end])
        s = int.from_bytes(signature[first_end + 2 :])
    except IndexError:
        return None
    return (r, s) if _as_der(r, s) == signature else None


def _as_der(r: int, s: int) -> bytes:
    parts = b"".join(
        bytes([2, len(number)]) + number
        for number in (value.to_bytes(value.bit_length() // 8 + 1) for value in (r, s))
    )
    length = bytes([len(parts)]) if len(parts) < 0x80 else bytes([0x81, len(parts)])
    return b"\x30" + length + parts


def _as_pem(der: bytes) -> bytes:
    text = base64.b64encode(der)
    lines = [text[place : place + _PEM_LINE] for place in range(0, len(text), _PEM_LINE)]
    return b"\n".join([_PEM_BEGIN, *lines, _PEM_END, b""])


CURVES: Mapping[str, Curve] = {
    "P-256": Curve(
        p=2**256 - 2**224 + 2**192 + 2**96 - 1,
        b=0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
        order=0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        base=(
            0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
            0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
        ),
        header=bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"),
        digest="sha256",
    ),
    "P-384": Curve(
        p=2**384 - 2**128 - 2**96 + 2**32 - 1,
        b=int(
            "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875a"
            "c656398d8a2ed19d2a85c8edd3ec2aef",
            16,
        ),
        order=int(
            "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
            "581a0db248b0a77aecec196accc52973",
            16,
        ),
        base=(
            int(
                "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a38"
                "5502f25dbf55296c3a545e3872760ab7",
                16,
            ),
            int(
                "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c0"
                "0a60b1ce1d7e819d7a431d7c90ea0e5f",
                16,
            ),
        ),
        header=bytes.fromhex("3076301006072a8648ce3d020106052b8104002203620004"),
        digest="sha384",
    ),
    "P-521": Curve(
        p=2**521 - 1,
        b=int(
            "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef1"
            "09e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b50"
            "3f00",
            16,
        ),
        order=int(
            "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
            "ffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386"
            "409",
            16,
        ),
        base=(
            int(
                "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d"
                "3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5"
                "bd66",
                16,
            ),
            int(
                "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e"
                "662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd1"
                "6650",
                16,
            ),
        ),
        header=bytes.fromhex("30819b301006072a8648ce3d020106052b810400230381860004"),
        digest="sha512",
    ),
}
"""The curves that model signing takes, by name."""
