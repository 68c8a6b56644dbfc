"""Keys that protect nothing are refused, and no message shows a secret."""

from __future__ import annotations

from base64 import b64encode

import pytest

from reconciler.drivers.dns.access import ALGORITHMS, Key

SECRET = b64encode(b"s" * 32).decode()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_strong_keys_are_taken(algorithm: str) -> None:
    assert SECRET not in repr(Key("k", algorithm, SECRET))


@pytest.mark.parametrize(
    ("algorithm", "reason"),
    [
        ("hmac-md5", "MD5 is broken"),
        ("HMAC-MD5.SIG-ALG.REG.INT.", "MD5 is broken"),
        ("hmac-sha1", "SHA-1 is broken"),
        ("hmac-sha224", "no stronger"),
        ("gss-tsig", "not known"),
    ],
)
def test_weak_algorithms_are_refused_with_the_reason(algorithm: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        Key("k", algorithm, SECRET)
    assert "hmac-sha256" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("secret", ["", "no base64!", b64encode(b"short").decode()])
def test_what_is_no_secret_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(ValueError, match="secret") as caught:
        Key("k", "hmac-sha256", secret)
    assert not secret or secret not in str(caught.value)
