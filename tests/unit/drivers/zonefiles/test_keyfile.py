"""Key files: what tsig-keygen writes is read, what protects nothing is refused."""

from __future__ import annotations

import pytest

from reconciler.drivers.zonefiles.keyfile import read_key

SECRET = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
KEY = f'key "farm" {{\n\talgorithm hmac-sha256;\n\tsecret "{SECRET}";\n}};\n'


def test_a_key_of_tsig_keygen_is_read() -> None:
    key = read_key(f"# of the farm\n/* by Ada */ {KEY} // end", "key")
    assert (key.name, key.algorithm, key.secret) == ("farm", "hmac-sha256", SECRET)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (KEY.replace("sha256", "md5"), "hmac-md5 is refused"),
        (KEY.replace("hmac-sha256", "hmac-md5.sig-alg.reg.int"), "is refused"),
        (KEY.replace("sha256", "sha1"), "hmac-sha1 is refused"),
        (KEY.replace("sha256", "sha9"), "hmac-sha9 is refused"),
        (KEY + KEY, "holds 2 keys"),
        ("", "holds 0 keys"),
        (KEY.replace("secret", "secrets"), "a key is key"),
        (KEY.replace(SECRET, "%%%"), "not base64"),
        (KEY.replace("};", ""), "does not end"),
    ],
)
def test_what_is_no_good_key_is_refused_without_its_secret(text: str, said: str) -> None:
    with pytest.raises(ValueError, match="key") as caught:
        read_key(text, "key")
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)
