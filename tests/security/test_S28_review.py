"""S28: a review of a hostile branch runs git, and git alone; nothing that it shows gets out.

What happens in the program itself is seen by an audit hook in a process of its own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from reconciler.cli.posting import MARKER
from reconciler.cli.verdict import PAGE_LENGTH
from reconciler.gitops.forges.text import marked
from reconciler.model.change import Action
from reconciler.plan.show.background import Background, Merge, Sight, Word
from reconciler.plan.show.json import json_text, plan_json
from reconciler.plan.show.junit import junit
from reconciler.plan.show.markdown import MOST_CHARACTERS, plan_markdown
from reconciler.plan.show.notices import plan_notices
from reconciler.plan.show.problems import problems_markdown
from reconciler.plan.show.sarif import sarif
from reconciler.plan.show.text import plain, plan_lines
from tests.remotes.origin import Origin, git, link, submodule
from tests.security.payloads import OURS, PAYLOADS, hostile_plan, tokens_of
from tests.story.desk import STACK, WEB, Desk
from tests.story.reviewing import branch

ROOT = Path(__file__).parents[2]
CANARY = "canary-2b7e151628aed2a6"
PROGRAM = """\
import json, sys
WATCHED = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn",
           "os.system", "pty.", "urllib.", "http.", "ftplib.", "smtplib.")
heard = []
def hook(event, arguments):
    if event.startswith(WATCHED):
        heard.append([event, [repr(each) for each in arguments]])
    elif event == "open" and isinstance(arguments[0], (str, bytes)):
        flags = arguments[2] if isinstance(arguments[2], int) else 0
        heard.append([event, [repr(arguments[0]), bool(flags & 3)]])
sys.addaudithook(hook)
from reconciler.cli.main import main
code = main(sys.argv[2:], standalone_mode=False)
sys.stdout.flush()
loaded = sorted({name.partition(".")[0] for name in sys.modules})
with open(sys.argv[1], "w") as file:
    json.dump({"code": code, "heard": heard, "loaded": loaded}, file)
"""


@dataclass(frozen=True)
class Audit:
    """What a command did, and said."""

    code: int
    heard: list[tuple[str, list[Any]]]
    loaded: set[str]
    said: str

    def of(self, event: str) -> list[list[Any]]:
        return [arguments for each, arguments in self.heard if each.startswith(event)]

    @property
    def written(self) -> set[str]:
        return {path for path, writes in self.of("open") if writes}

    @property
    def opened(self) -> set[str]:
        return {path for path, _ in self.of("open")}


def audited(desk: Desk, *arguments: str) -> Audit:
    """Run the program with an audit hook, and a home of its own."""
    report = desk.root / "audit.json"
    home = desk.root / "home"
    home.mkdir(exist_ok=True)
    places = ("--repo", str(desk.remote), "--state", str(desk.root / "ci"))
    done = subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM, str(report), arguments[0], *places, *arguments[1:]],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "PYTHONPATH": str(ROOT)},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert report.exists(), done.stderr
    found = json.loads(report.read_text("utf-8"))
    heard = [(event, arguments) for event, arguments in found["heard"]]
    return Audit(found["code"], heard, set(found["loaded"]), done.stdout + done.stderr)


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk whose production is what its branch says."""
    desk = Desk.new(tmp_path_factory.mktemp("synced"))
    assert desk.run("sync", "-e", "production").exit_code == 0
    return desk.root


@pytest.fixture
def desk(synced: Path, tmp_path: Path) -> Desk:
    shutil.copytree(synced / "origin.git", tmp_path / "origin.git")
    return Desk(tmp_path)


def hostile(desk: Desk) -> None:
    """A branch that loads, whose every free text is an attack, and which attacks git besides."""
    branch(desk, "feature/</details>@all")
    files = {
        WEB: desk.git("show", f"production:{WEB}").replace("size: 8 GiB", "size: 12 GiB")
        + '\ndescription: "```</details> @all ::set-env name=A::b ##[add-mask]x"\n',
        ".gitattributes": "* merge=evil filter=evil diff=evil text\n",
        ".gitconfig": '[core]\n\tfsmonitor = touch pwned\n[merge "evil"]\n\tdriver = touch pwned\n',
        "::set-env name=PATH::x.md": "x\n",
    }
    desk.put(files, "feature/</details>@all")
    desk.edit(STACK, "memory: 2 GiB", "memory: 3 GiB")


COMMANDS = {
    "review": ("review", "--into", "production", "--out", "out"),
    "plan": ("plan", "--environment", "production", "--world", "journal", "--format", "markdown"),
}


@pytest.fixture(params=sorted(COMMANDS))
def audit(desk: Desk, request: pytest.FixtureRequest) -> Audit:
    hostile(desk)
    return audited(desk, *COMMANDS[request.param], "--branch", "feature/</details>@all")


def test_no_socket_is_made_and_only_git_is_started(audit: Audit) -> None:
    assert audit.code in {0, 2}, audit.said
    assert audit.of("socket.") == []
    started = [arguments[0] for arguments in audit.of("subprocess.")]
    assert set(started) == {"'git'"}
    others = ("os.", "pty.", "urllib.", "http.", "ftplib.", "smtplib.")
    assert [each for each, _ in audit.heard if each.startswith(others)] == []


def test_nothing_is_loaded_that_reaches_hosts_forges_or_secrets(audit: Audit) -> None:
    reaching = {"libvirt", "fabric", "paramiko", "dns", "pyrage", "httpx"}
    assert audit.loaded & reaching == set()


def test_files_are_written_in_the_state_and_the_directory_that_was_named(
    audit: Audit, desk: Desk
) -> None:
    mine = (f"'{desk.root}/ci/", "'out/", "'/dev/null", f"'{desk.root}/audit.json")
    assert {path for path in audit.written if not path.startswith(mine)} == set()


def test_no_command_of_the_branch_is_run_or_shown(audit: Audit, desk: Desk) -> None:
    assert not list(desk.root.rglob("pwned"))
    for line in audit.said.splitlines():
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


@pytest.mark.parametrize("kind", ["link", "link upwards", "submodule"])
def test_what_leads_out_of_the_tree_is_refused_and_not_read(desk: Desk, kind: str) -> None:
    precious = desk.root / "precious"
    precious.write_text(CANARY, "utf-8")
    targets = {
        "link": link(str(precious)),
        "link upwards": link("../../../precious"),
        "submodule": submodule(),
    }
    origin = Origin.__new__(Origin)
    origin.path, origin._ticks = desk.remote, 0
    branch(desk, "feature/out")
    origin.commit("feature/out", {"vms/out.yaml": targets[kind]})
    audit = audited(desk, *COMMANDS["review"], "--branch", "feature/out")
    assert audit.code == 1
    assert {path for path in audit.opened if "precious" in path} == set()
    page = (desk.root / "home/out/plan.md").read_text("utf-8")
    assert "vms/out.yaml:1:1" in page
    assert CANARY not in page + audit.said


def test_a_file_named_like_a_command_to_the_runner_is_only_named(desk: Desk) -> None:
    branch(desk, "feature/named")
    desk.put({"::set-env name=PATH::x.yaml": "kind: [\n"}, "feature/named")
    plan = ("plan", "--environment", "production", "--world", "journal")
    for command in (COMMANDS["review"], plan, (*plan, "--no-merge")):
        audit = audited(desk, *command, "--branch", "feature/named")
        lines = audit.said.splitlines()
        assert not [line for line in lines if line.lstrip().startswith("::")]


# What is shown, whatever stands in it.


def background(text: str) -> Background:
    """A background in which the text stands wherever text can stand."""
    return Background(
        merge=Merge(text, text, text, text),
        sight=Sight(text or "x", text),
        words=(Word(text, text, text), Word("lost-work", text)),
    )


@pytest.mark.parametrize("text", PAYLOADS)
@pytest.mark.parametrize("is_merged", [False, True])
def test_background_holds_no_markup_but_ours(text: str, is_merged: bool) -> None:
    plan, violations = hostile_plan(text)
    about = background(text)
    merge = replace(about.merge, is_merged=is_merged) if about.merge else None
    about = replace(about, merge=merge)
    pages = [
        plan_markdown(plan, violations, background=about),
        problems_markdown((), environment=text, background=about),
    ]
    for token in (token for page in pages for token in tokens_of(page)):
        assert token.type not in {"link_open", "image", "html_inline"}
        if token.type == "html_block":
            assert token.content.split("<summary>")[0].strip() in OURS
        if token.type == "text":
            assert "@" not in token.content
            assert "http" not in token.content


@pytest.mark.parametrize("text", PAYLOADS)
def test_background_opens_and_closes_its_own_fence(text: str) -> None:
    plan, violations = hostile_plan(text)
    page = plan_markdown(plan, violations, background=background(text))
    fences = [token.info for token in tokens_of(page) if token.type == "fence"]
    assert fences == ["text", "text", *["diff"] * len(Action), "text"]


@pytest.mark.parametrize("text", PAYLOADS)
def test_background_is_no_command_in_any_format(text: str) -> None:
    plan, violations = hostile_plan(text)
    about = background(text)
    notices = plan_notices(plan, violations, background=about)
    report = junit(notices, suite=text)
    etree.fromstring(report)
    for shown in (
        plain(plan_lines(plan, violations, background=about)),
        json_text(plan_json(plan, violations, background=about)),
        json_text(sarif(notices, category="plan")),
        report.decode(),
    ):
        for line in shown.split("\n"):
            assert line.isprintable()
            assert not line.lstrip().startswith("::")
            assert not any(mark in line for mark in ("##[", "##vso[", "##teamcity["))


@pytest.mark.parametrize("text", ["a" * 2_000, "`" * 2_000, "</details>\n" * 200])
def test_the_whole_comment_fits_whatever_there_is_to_say(text: str) -> None:
    plan, violations = hostile_plan(text)
    words = tuple(Word(text, text, text) for _ in range(500))
    many = replace(plan, changes=plan.changes * 600)  # more than 10 MB of text
    page = plan_markdown(
        many, violations * 50, limit=PAGE_LENGTH, background=replace(background(text), words=words)
    )
    comment = marked(MARKER, page)
    assert len(comment) <= MOST_CHARACTERS
    assert comment.endswith(page.rstrip("\n")), "no driver may cut within a fence"
    blocks = [token.content for token in tokens_of(page) if token.type == "html_block"]
    opened = sum(each.startswith("<details>") for each in blocks)
    assert opened == sum(each.startswith("</details>") for each in blocks)


def test_no_secret_and_no_key_is_opened_whatever_a_branch_refers_to(desk: Desk) -> None:
    """Not even on a machine that has the keys: secrets are resolved when a plan is applied."""
    key = desk.root / "age.key"
    key.write_text(f"AGE-SECRET-KEY-{CANARY}\n", "utf-8")
    key.chmod(0o600)
    settings = desk.root / "keys.yaml"
    settings.write_text(f"secrets: {{identity: {key}, production: {key}}}\n", "utf-8")
    branch(desk, "feature/greedy")
    theirs = desk.git("show", "production:nameservers/ns.yaml").replace(
        "staging: secret://dns/staging", "staging: secret://dns/production"
    )
    desk.put({"nameservers/ns.yaml": theirs}, "feature/greedy")
    audit = audited(
        desk, *COMMANDS["review"], "--branch", "feature/greedy", "--config", str(settings)
    )
    assert audit.heard
    assert {path for path in audit.opened if "age.key" in path} == set()
    assert "pyrage" not in audit.loaded
    assert CANARY not in audit.said


def test_git_is_given_no_configuration_of_the_tree(desk: Desk) -> None:
    hostile(desk)
    audit = audited(desk, *COMMANDS["review"], "--branch", "feature/</details>@all")
    environments = [arguments[3] for arguments in audit.of("subprocess.Popen")]
    assert environments
    assert all("'GIT_CONFIG_GLOBAL'" in each and "GIT_DIR" in each for each in environments)
    assert git(desk.remote, "config", "--get-regexp", "^core.bare$")
