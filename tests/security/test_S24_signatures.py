"""S24: only what an allowed key has signed is applied; merges, too. The last good commit stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.errors import Stalled
from reconciler.gitops.environment import git_environment
from reconciler.gitops.gates.keyring import Keys
from reconciler.gitops.gates.signatures import Signatures, Signer
from reconciler.gitops.git import Git
from reconciler.plan.evidence import Lack
from tests.remotes.origin import NOON, Origin
from tests.remotes.signing import Desk, SshKey, gpg_key
from tests.scenes.gated import Gated, shut, web

EXPIRED = "20250101T000000"


@pytest.fixture
def scene(tmp_path: Path) -> Gated:
    gated = Gated(tmp_path, signatures="head")
    gated.allow(gated.alice, gated.bob)
    return gated


def key_of(who: Desk) -> SshKey:
    assert isinstance(who.key, SshKey)
    return who.key


def signed(scene: Gated) -> str:
    return scene.alice.commit("production", scene.tree(3), message="Grow")


def unsigned(scene: Gated) -> str:
    return scene.origin.commit("production", web(3), message="Grow")


def by_a_stranger(scene: Gated) -> str:
    return scene.carol.commit("production", scene.tree(3), message="Grow")


def with_an_expired_key(scene: Gated) -> str:
    options = 'valid-before="20250101"'
    scene.keys = Keys(key_of(scene.alice).allowed(options=options).encode())
    return signed(scene)


def with_an_expired_key_and_an_older_date(scene: Gated) -> str:
    options = 'valid-before="20250101"'
    scene.keys = Keys(key_of(scene.alice).allowed(options=options).encode())
    tree, past = scene.tree(3), "1704067200 +0000"
    return scene.alice.commit("production", tree, message="Grow", time=past)


def with_a_revoked_key(scene: Gated) -> str:
    key = key_of(scene.alice)
    scene.keys = Keys(key.allowed().encode(), None, f"{key.public}\n".encode())
    return signed(scene)


def amended_afterwards(scene: Gated) -> str:
    content = scene.origin.git("cat-file", "commit", signed(scene))
    changed = content.replace(scene.alice.tree("production"), scene.tree(4), 1) + "\n"
    commit = scene.origin.git(
        "hash-object", "-t", "commit", "-w", "--stdin", given=changed.encode()
    )
    scene.origin.git("update-ref", "refs/heads/production", commit)
    return commit


def an_unsigned_merge_of_what_is_signed(scene: Gated) -> str:
    base = str(scene.origin.head("production"))
    tree = scene.tree(3)
    work = scene.alice.commit("feature", tree, base, message="Grow")
    keyless = Desk(scene.origin, "Eve", "eve@farm.internal")
    return keyless.commit("production", tree, base, work, message="Merge")


def with_signers_in_the_repository(scene: Gated) -> str:
    line = key_of(scene.carol).allowed().encode()
    config = f'[gpg "ssh"]\n\tallowedSignersFile = {scene.root / "planted"}\n'.encode()
    (scene.root / "planted").write_bytes(line)
    files = {"allowed_signers": line, ".gitconfig": config, ".gitattributes": b"* diff\n"}
    planted = scene.alice.commit("scratch", scene.tree(2), str(scene.origin.head("production")))
    made = scene.origin.commit("scratch", files, parents=(planted,))
    return scene.carol.commit("production", scene.alice.tree(made), message="Grow")


def with_a_key_of_everybody(scene: Gated) -> str:
    scene.keys = Keys(key_of(scene.alice).allowed("*").encode())
    return signed(scene)


def with_a_key_of_a_whole_domain(scene: Gated) -> str:
    scene.keys = Keys(key_of(scene.alice).allowed("*@farm.internal").encode())
    return signed(scene)


def with_a_key_for_other_things(scene: Gated) -> str:
    options = 'namespaces="file"'
    scene.keys = Keys(key_of(scene.alice).allowed(options=options).encode())
    return signed(scene)


def while_nobody_is_allowed(scene: Gated) -> str:
    scene.keys = Keys()
    return signed(scene)


ATTACKS: tuple[tuple[Callable[[Gated], str], str], ...] = (
    (unsigned, "is not signed"),
    (by_a_stranger, "which is not allowed"),
    (with_an_expired_key, "not valid then"),
    (with_an_expired_key_and_an_older_date, "whose key has expired"),
    (with_a_revoked_key, "revoked"),
    (amended_afterwards, "was changed after it was signed"),
    (an_unsigned_merge_of_what_is_signed, "is not signed"),
    (with_signers_in_the_repository, "which is not allowed"),
    (with_a_key_of_everybody, "that is nobody"),
    (with_a_key_of_a_whole_domain, "that is nobody"),
    (with_a_key_for_other_things, "allowed for other things"),
    (while_nobody_is_allowed, "allows no ssh key"),
)


@pytest.mark.parametrize(
    ("attack", "reason"), ATTACKS, ids=lambda each: getattr(each, "__name__", "")
)
def test_what_is_not_signed_well_is_held_with_the_reason(
    scene: Gated, attack: Callable[[Gated], str], reason: str
) -> None:
    good = scene.status().revision
    bad = attack(scene)
    closed = shut(scene.sync())
    assert list(closed) == ["signature"]
    assert reason in closed["signature"].message
    assert bad[:7] in closed["signature"].message
    assert closed["signature"].remedy
    status = scene.status()
    assert (status.revision, status.refused, scene.gib()) == (good, bad, 2)


def test_what_is_signed_well_is_applied(scene: Gated) -> None:
    signed(scene)
    assert scene.sync().refusal is None
    assert scene.gib() == 3


def test_a_signed_merge_of_what_is_not_signed_is_enough_for_the_head_only(scene: Gated) -> None:
    scene.ask(signatures="every")
    base = str(scene.origin.head("production"))
    tree = scene.tree(3)
    keyless = Desk(scene.origin, "Eve", "eve@farm.internal")
    work = keyless.commit("feature", tree, base, message="Grow")
    scene.alice.commit("production", tree, base, work, message="Merge")
    assert work[:7] in shut(scene.sync())["signature"].message
    scene.ask(signatures="head")
    assert scene.sync().refusal is None


def test_of_every_commit_those_need_no_signature_that_add_and_permit_nothing(
    scene: Gated,
) -> None:
    scene.ask(signatures="every")
    base = str(scene.origin.head("production"))
    keyless = Desk(scene.origin, "Reconciler", "reconciler@farm.internal")
    bad = scene.bob.commit("production", scene.tree(4), message="Too much")
    back = keyless.commit("production", scene.alice.tree(base), message="Take it back")
    scene.alice.commit("production", scene.tree(3), message="Grow")
    assert scene.sync().refusal is None, (bad, back)
    keyless.commit("production", scene.tree(3), message="x\n\nReconciler-Allow: disruption")
    scene.alice.commit("production", scene.tree(5), message="Grow")
    assert "is not signed" in shut(scene.sync())["signature"].message


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("none", "no tag points at"),
        ("elsewhere", "no tag points at"),
        ("lightweight", "lightweight"),
        ("unsigned", "is not signed"),
        ("an approval", "no tag points at"),
    ],
)
def test_a_tag_must_be_signed_and_point_at_the_head(scene: Gated, how: str, reason: str) -> None:
    scene.ask(signatures="tag")
    before = str(scene.origin.head("production"))
    head = unsigned(scene)
    if how == "elsewhere":
        scene.alice.tag("v1", before)
    elif how == "lightweight":
        scene.origin.git("tag", "v1", head)
    elif how == "unsigned":
        scene.alice.tag("v1", head, signed=False)
    elif how == "an approval":
        scene.alice.tag(f"approve/production/{'0' * 16}", head)
    assert reason in shut(scene.sync())["signature"].message
    assert scene.gib() == 2
    scene.alice.tag("v2", head)
    assert scene.sync().refusal is None
    assert scene.gib() == 3


# GPG goes by the clock of the machine: it takes no other.


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    made = Origin(tmp_path / "origin.git")
    made.commit("production", {"a": b"1"})
    return made


def said(origin: Origin, commit: str, gpg: str) -> Signer | Lack:
    git = Git(origin.path, git_environment(), timedelta(seconds=30))
    keys = Keys(None, gpg.encode())
    return Signatures(lambda: git, lambda: keys, origin.path.parent / "signers").of_commit(
        commit, NOON
    )


def test_gpg_keys_are_told_apart_and_revoked_ones_do_not_count(origin: Origin) -> None:
    with gpg_key("alice@farm.internal") as key, gpg_key("bob@farm.internal") as other:
        alice = Desk(origin, "Alice", key.mail, key)
        tree = alice.tree("production")
        commit = alice.commit("production", tree)
        found = said(origin, commit, key.exported())
        assert isinstance(found, Signer)
        assert (found.person, found.key) == (key.mail, key.fingerprint)
        stranger = said(origin, commit, other.exported())
        assert isinstance(stranger, Lack)
        assert "not allowed" in stranger.message
        content = origin.git("cat-file", "commit", commit).replace("Change", "Chance") + "\n"
        amended = origin.git("hash-object", "-t", "commit", "-w", "--stdin", given=content.encode())
        changed = said(origin, amended, key.exported())
        assert isinstance(changed, Lack)
        assert "changed after" in changed.message
        key.revoke()
        revoked = said(origin, commit, key.exported())
        assert isinstance(revoked, Lack)
        assert "revoked" in revoked.message


def test_an_expired_gpg_key_does_not_count(origin: Origin, tmp_path: Path) -> None:
    past = tmp_path / "gpg-in-the-past"
    past.write_text(f'#!/bin/sh\nexec gpg --faked-system-time={EXPIRED} "$@"\n', "utf-8")
    past.chmod(0o755)
    with gpg_key("alice@farm.internal", made=EXPIRED, expires="1m") as key:
        alice = Desk(origin, "Alice", key.mail, key)
        tree = alice.tree("production")
        commit = alice.git("-c", f"gpg.program={past}", "commit-tree", "-S", tree, given="Old")
        found = said(origin, commit, key.exported())
    assert isinstance(found, Lack)
    assert "has expired" in found.message


def test_the_users_own_keys_do_not_count(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    with gpg_key("alice@farm.internal") as key, gpg_key("bob@farm.internal") as allowed:
        alice = Desk(origin, "Alice", key.mail, key)
        commit = alice.commit("production", alice.tree("production"))
        monkeypatch.setenv("GNUPGHOME", str(key.home))
        monkeypatch.setenv("HOME", str(key.home))
        assert isinstance(said(origin, commit, allowed.exported()), Lack)


def test_a_file_without_keys_is_a_reason_and_no_key_is_taken_from_elsewhere(
    origin: Origin,
) -> None:
    with gpg_key("alice@farm.internal") as key:
        alice = Desk(origin, "Alice", key.mail, key)
        commit = alice.commit("production", alice.tree("production"))
        found = said(origin, commit, "no keys at all")
    assert isinstance(found, Lack)
    assert "gpg does not take the keys" in found.message


@pytest.mark.parametrize(("missing", "package"), [("gpg", "gnupg"), ("ssh-keygen", "openssh")])
def test_a_missing_program_is_a_reason_with_a_way_out(
    origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str, package: str
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "git").symlink_to("/usr/bin/git")
    ssh = SshKey.made(tmp_path, "alice@farm.internal")
    with gpg_key("alice@farm.internal") as gpg:
        key = gpg if missing == "gpg" else ssh
        alice = Desk(origin, "Alice", "alice@farm.internal", key)
        commit = alice.commit("production", alice.tree("production"))
        keys = Keys(ssh.allowed().encode(), gpg.exported().encode() if missing == "gpg" else None)
    monkeypatch.setenv("PATH", str(programs))
    git = Git(origin.path, git_environment(), timedelta(seconds=30))
    found = Signatures(lambda: git, lambda: keys, tmp_path / "signers").of_commit(commit, NOON)
    assert isinstance(found, Lack)
    assert f"{missing} is not installed" in found.message
    assert package in found.remedy


def test_keys_that_cannot_be_read_stop_what_is_new(tmp_path: Path) -> None:
    with pytest.raises(Stalled, match="mend what `signers`"):
        Keys.read(tmp_path / "nowhere", None, None)


def test_the_keyring_is_for_its_owner_only(origin: Origin) -> None:
    with gpg_key("alice@farm.internal") as key:
        alice = Desk(origin, "Alice", key.mail, key)
        said(origin, alice.commit("production", alice.tree("production")), key.exported())
    signers = origin.path.parent / "signers"
    [ring] = signers.iterdir()
    assert {each.stat().st_mode & 0o077 for each in (signers, ring, ring / "gnupg")} == {0}
