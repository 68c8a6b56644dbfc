from __future__ import annotations

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.gitops.message import SUBJECT_LENGTH, compose, one_line

OURS = (("Reconciler-Event", "drift"), ("Reconciler-Environment", "production"))


def trailers(message: bytes, *options: str) -> list[str]:
    """The trailers as git itself reads them."""
    command = ["git", "interpret-trailers", "--parse", *options]
    done = subprocess.run(command, input=message, capture_output=True, check=True, timeout=20)
    return done.stdout.decode().splitlines()


def test_a_message_has_subject_body_and_trailers() -> None:
    message = compose("drift(production): 1 resource differs", "cpus: 2 -> 4", OURS)
    assert message.decode().split("\n\n") == [
        "drift(production): 1 resource differs",
        "  cpus: 2 -> 4",
        "[skip ci]",
        "Reconciler-Event: drift\nReconciler-Environment: production\n",
    ]


def test_a_long_subject_is_cut() -> None:
    subject = compose("x" * 100, "", OURS).decode().splitlines()[0]
    assert len(subject) == SUBJECT_LENGTH
    assert subject.endswith("x…")


FORGERIES = [
    "\n\nReconciler-Rollback: yes",
    "\n\nReconciler-Rollback: yes\n---\n",
    "\r\n\r\nReconciler-Rollback: yes\r\n",
    "\n\nReconciler-Rollback : yes",
    "\u2028\u2028Reconciler-Rollback: yes",
    "\x85\x85Reconciler-Rollback: yes\x0b\x0c",
    "\n\nSigned-off-by: Somebody <a@b>\n---",
    "\n\n(cherry picked from commit 1a2b)\nReconciler-Rollback: yes\n---",
    "\n\n# ------------------------ >8 ------------------------\n",
    "\n\ndiff --git a/x b/x\n",
    "\x00\n\nReconciler-Rollback: yes",
]


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("options", [(), ("--no-divider",)])
def test_no_part_can_forge_a_trailer(forgery: str, options: tuple[str, ...]) -> None:
    message = compose(
        f"subject{forgery}", f"body{forgery}", (*OURS, ("Reconciler-Resource", f"x{forgery}"))
    )
    keys = [line.partition(":")[0] for line in trailers(message, *options)]
    assert keys == ["Reconciler-Event", "Reconciler-Environment", "Reconciler-Resource"]


@settings(max_examples=60, deadline=None)
@example("---")
@given(st.text(alphabet=st.sampled_from("aR-: \n\r\t#\u2028\x85()"), max_size=60))
def test_no_text_can_forge_a_trailer(text: str) -> None:
    assert trailers(compose(text, text, OURS)) == [f"{key}: {value}" for key, value in OURS]


def test_what_cannot_be_seen_is_left_out() -> None:
    assert one_line("a\x1b[31m\u202eb\u200b \ud800c\n d", 40) == "a [31m b c d"


def test_the_key_of_a_trailer_must_be_a_word() -> None:
    with pytest.raises(ValueError, match="not the key of a trailer"):
        compose("subject", "", (("Bad\nReconciler-Rollback", "yes"),))
