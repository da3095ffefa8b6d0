"""Signatures are held to hold exactly where `cryptography`, which is OpenSSL's arithmetic, holds them."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

from pipeline.runtime.elliptic_signature import CURVES, holds, read_key

KINDS: dict[str, tuple[type[ec.EllipticCurve], hashes.HashAlgorithm]] = {
    "P-256": (ec.SECP256R1, hashes.SHA256()),
    "P-384": (ec.SECP384R1, hashes.SHA384()),
    "P-521": (ec.SECP521R1, hashes.SHA512()),
}
each_curve = pytest.mark.parametrize("name", KINDS)
MESSAGE = b"what a release says of its files"


def pem_of(key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def agree(private: ec.EllipticCurvePrivateKey, name: str, signature: bytes, message: bytes) -> bool:
    """Whether the signature holds, once both say the same."""
    public = private.public_key()
    try:
        public.verify(signature, message, ec.ECDSA(KINDS[name][1]))
        expected = True
    except InvalidSignature:
        expected = False
    assert holds(signature, message, key=read_key(pem_of(public))) == expected
    return expected


@each_curve
def test_signatures_of_new_keys_hold_and_those_of_other_messages_and_keys_do_not(name: str) -> None:
    curve, algorithm = KINDS[name]
    other = ec.generate_private_key(curve())
    for number in range(8):
        private = ec.generate_private_key(curve())
        message = MESSAGE * number
        signature = private.sign(message, ec.ECDSA(algorithm))
        assert agree(private, name, signature, message)
        assert not agree(private, name, signature, message + b".")
        assert not agree(other, name, signature, message)


@each_curve
def test_a_key_is_spelt_as_cryptography_spells_it(name: str) -> None:
    pem = pem_of(ec.generate_private_key(KINDS[name][0]()).public_key())
    assert read_key(pem).pem == pem
    assert read_key(pem.replace(b"\n", b"\r\n") + b"\n").pem == pem


@each_curve
def test_small_keys_and_products_that_meet_are_added_as_any_others(name: str) -> None:
    """The private keys 1, 2 and order − 1 make points that are, double or mirror the base point."""
    curve, algorithm = KINDS[name]
    for number in (1, 2, 3, CURVES[name].order - 1, CURVES[name].order - 2):
        private = ec.derive_private_key(number, curve())
        assert agree(private, name, private.sign(MESSAGE, ec.ECDSA(algorithm)), MESSAGE)


@each_curve
def test_numbers_out_of_range_hold_for_nothing(name: str) -> None:
    curve, algorithm = KINDS[name]
    private, order = ec.generate_private_key(curve()), CURVES[name].order
    r, s = utils.decode_dss_signature(private.sign(MESSAGE, ec.ECDSA(algorithm)))
    assert agree(private, name, utils.encode_dss_signature(r, order - s), MESSAGE)
    for wrong in ((0, s), (r, 0), (0, 0), (order, s), (r, order), (r + order, s), (1, 1), (s, r)):
        assert not agree(private, name, utils.encode_dss_signature(*wrong), MESSAGE)


@each_curve
def test_only_the_one_spelling_in_der_holds(name: str) -> None:
    private = ec.generate_private_key(KINDS[name][0]())
    signature = private.sign(MESSAGE, ec.ECDSA(KINDS[name][1]))
    assert agree(private, name, signature, MESSAGE)
    cut = [signature[:length] for length in range(len(signature))]
    longer = [signature + b"\0", b"\x30\x82\0" + signature[1:], b"\x31" + signature[1:]]
    flipped = [
        signature[:place] + bytes([signature[place] ^ 1]) + signature[place + 1 :]
        for place in range(0, len(signature), 5)
    ]
    for wrong in (*cut, *longer, *flipped):
        assert not agree(private, name, wrong, MESSAGE)


def test_keys_of_another_kind_or_curve_or_beside_their_curve_are_refused() -> None:
    others = [ec.generate_private_key(ec.SECP256K1()).public_key()]
    wrong = [pem_of(key) for key in others]
    wrong.append(pem_of(ed25519.Ed25519PrivateKey.generate().public_key()))
    for pem in wrong:
        with pytest.raises(ValueError, match="P-256, P-384 or P-521"):
            read_key(pem)
    sound = pem_of(ec.generate_private_key(ec.SECP256R1()).public_key())
    for pem in (b"", b"no key", sound[:-30], sound.replace(b"PUBLIC", b"PRIVATE")):
        with pytest.raises(ValueError, match="no PEM"):
            read_key(pem)
    lines = sound.splitlines()
    lines[2] = lines[2][:8] + lines[2][8:16][::-1] + lines[2][16:]
    with pytest.raises(ValueError, match="no point"):
        read_key(b"\n".join(lines))
