from __future__ import annotations

import pytest

from reconciler.errors import SourceCorrupt, SourceUnavailable
from reconciler.gitops.failures import Failure, MirrorLocked, failure_of, readable, source_error
from reconciler.gitops.process import Cut, Finished

SAID = {
    "fatal: write error: No space left on device": Failure.NO_ROOM,
    "error: unable to write file objects/1a: Disk quota exceeded": Failure.NO_ROOM,
    "error: index-pack died of signal 25": Failure.NO_ROOM,
    "fatal: fetch-pack: invalid index-pack output\n": Failure.NO_ROOM,
    "error: Unable to create '/x/refs/x.lock': File exists.": Failure.LOCKED,
    "fatal: cannot lock ref 'refs/x': is at 1a but expected 2b": Failure.LOCKED,
    "fatal: fsck error in packed object": Failure.CORRUPT,
    "error: 1a2b: hasDotdot: contains '..'\nfatal: fsck error": Failure.CORRUPT,
    "fatal: loose object 1a (stored in objects/1a/2b) is corrupt": Failure.CORRUPT,
    "error: inflate: data stream error (incorrect header check)": Failure.CORRUPT,
    "fatal: bad object refs/heads/x\nerror: /x did not send all necessary objects": Failure.CORRUPT,
    "fatal: not a git repository: '/state/repository.git'": Failure.CORRUPT,
    "git@host: Permission denied (publickey).\nfatal: Could not read from remote": Failure.DENIED,
    "fatal: could not read Username for 'https://h': terminal prompts disabled": Failure.DENIED,
    "fatal: Authentication failed for 'https://h/x'": Failure.DENIED,
    "Host key verification failed.\nfatal: Could not read from remote": Failure.DENIED,
    "fatal: unable to access 'https://h/': The requested URL returned error: 403": Failure.DENIED,
    "fatal: detected dubious ownership in repository at '/x'": Failure.DENIED,
    "fatal: '/x' does not appear to be a git repository": Failure.MISSING,
    "fatal: repository 'https://h/x/' not found": Failure.MISSING,
    "ERROR: Repository not found.\nfatal: Could not read from remote": Failure.MISSING,
    "fatal: unable to access 'https://h/': Could not resolve host: h": Failure.UNREACHABLE,
    "fatal: unable to access 'https://h/': Failed to connect to h port 443": Failure.UNREACHABLE,
    "ssh: connect to host h port 22: Connection refused": Failure.UNREACHABLE,
    "fatal: early EOF\nfatal: fetch-pack: invalid index-pack output": Failure.UNREACHABLE,
}


@pytest.mark.parametrize("remarks", SAID)
def test_what_git_says_tells_what_failed(remarks: str) -> None:
    assert failure_of(remarks) is SAID[remarks]


@pytest.mark.parametrize(
    ("finished", "kind", "words"),
    [
        (
            Finished(128, b"", "fatal: Could not resolve host"),
            SourceUnavailable,
            "check the network",
        ),
        (Finished(128, b"", "fatal: bad object 1a"), SourceCorrupt, "repair it there"),
        (Finished(1, b"", "Unable to create 'x.lock': File exists"), MirrorLocked, "tried again"),
        (Finished(-9, b"", "", Cut.DEADLINE), SourceUnavailable, "no answer within the deadline"),
        (Finished(-9, b"", "", Cut.OUTPUT), SourceUnavailable, "larger than this program takes"),
        (Finished(7, b"", ""), SourceUnavailable, "git ended with 7"),
    ],
)
def test_an_error_says_where_what_and_what_to_do(
    finished: Finished, kind: type[Exception], words: str
) -> None:
    error = source_error("fetching", "ssh://git.farm/x", finished)
    assert type(error) is kind
    assert str(error).startswith("ssh://git.farm/x: fetching: ")
    assert words in str(error)


def test_logins_and_control_characters_are_not_shown() -> None:
    remarks = "remote: \x1b[31mno\x1b[0m\nhint: try\nfatal: 'https://u:secret@h/x' is wrong\n"
    assert readable(remarks) == "remote:  [31mno [0m / fatal: 'https://***@h/x' is wrong"
