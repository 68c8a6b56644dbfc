from __future__ import annotations

import pytest

from reconciler.model.secret import SecretReference


def test_a_reference_reads_back() -> None:
    reference = SecretReference("web", "db.password")
    assert SecretReference.parse(str(reference)) == reference


@pytest.mark.parametrize(
    "text",
    ["", "hunter2", "secret://web", "secret://Web/key", "secret://web/", "secret://web/a/b",
     "secret://web/key\n", "secret://../key", "secret://web/" + "k" * 65],
)  # fmt: skip
def test_what_is_no_reference_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="not a secret reference") as refused:
        SecretReference.parse(text)
    assert not text or text not in str(refused.value)
