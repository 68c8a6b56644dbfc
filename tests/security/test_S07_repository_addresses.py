"""S07: an address of a repository is a place, never an option or a command of git or ssh."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import ReconcilerError, SettingsError
from reconciler.gitops.environment import git_environment
from reconciler.gitops.git import Git
from reconciler.gitops.mirror import DEADLINE, Mirror
from reconciler.gitops.transport import remote_heads
from reconciler.gitops.url import Remote, check_url

VECTORS = [
    "ext::sh -c touch% {marker}",
    "ext::touch {marker}",
    "ext::touch%S{marker}",
    "EXT::touch%S{marker}",
    "fd::17/foo",
    "::ext::x",
    "--upload-pack=touch {marker}",
    "--upload-pack=touch${{IFS}}{marker}",
    "-u{marker}",
    "-c",
    "--output={marker}",
    "ssh://-oProxyCommand=touch${{IFS}}{marker}/x",
    "ssh://%2DoProxyCommand=touch{marker}/x",
    "ssh://-oProxyCommand=x@host/x",
    "ssh://host/-oProxyCommand=touch{marker}",
    "ssh://host:99999/x",
    "ssh://host:-1/x",
    "ssh://user:password@host/x",
    "-oProxyCommand=id:x",
    "user@-oProxyCommand=id:x",
    "-user@host:x",
    "host:-oProxyCommand=x",
    "ssh://",
    "ssh:///x",
    "https:///x",
    "https://h\nost/x",
    "https://host/x\r\nHost: y",
    "https://host/%0aHost:y",
    "https://ho st/x",
    "\x00/srv/x",
    "http://host/x",
    "git://host/x",
    "ftp://host/x",
    "file://elsewhere/srv/x",
    "javascript://x",
    "",
    " ",
    "/srv/" + "x" * 3000,
]


@pytest.fixture
def marker(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "marker"
    yield path
    assert not path.exists()


@pytest.mark.parametrize("vector", VECTORS)
def test_the_mirror_refuses_it_before_git_is_started(
    vector: str, tmp_path: Path, marker: Path
) -> None:
    with pytest.raises(SettingsError, match=r"repository: .* cannot be used: ") as caught:
        Mirror(vector.format(marker=marker), tmp_path / "state")
    assert not (tmp_path / "state").exists()
    assert str(caught.value).isprintable()


COMMANDS = ["ext::sh -c 'touch {marker}'", "ext::touch {marker}", "file://{marker}", "fd::17"]


@pytest.mark.parametrize("vector", COMMANDS)
@pytest.mark.parametrize("protocol", ["ssh", "https"])
def test_git_itself_would_refuse_it_too(
    vector: str, protocol: str, tmp_path: Path, marker: Path
) -> None:
    """The second line of defence: only the protocol of the checked address is allowed."""
    remote = Remote(vector.format(marker=marker), protocol)
    git = Git(tmp_path, git_environment(remote), DEADLINE)
    git.init()
    with pytest.raises(ReconcilerError, match="not allowed"):
        remote_heads(git)


def test_git_has_nobody_to_speak_to_while_it_reads(tmp_path: Path) -> None:
    assert git_environment()["GIT_ALLOW_PROTOCOL"] == "none"


@pytest.mark.parametrize(
    "text", ["https://bot:canary@h/x", "http://bot:canary@h/x", "https://u:c%61nary@-h/x"]
)
def test_a_password_is_in_no_message(text: str, tmp_path: Path) -> None:
    try:
        shown = str(check_url(text)) + repr(check_url(text)) + repr(Mirror(text, tmp_path / "s"))
    except SettingsError as error:
        shown = str(error)
    assert "nary" not in shown


def test_directories_are_refused_where_they_are_not_allowed() -> None:
    for text in ("/srv/x", "file:///srv/x", ".", "~/x"):
        with pytest.raises(SettingsError):
            check_url(text, allow_file=False)
