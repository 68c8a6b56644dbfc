"""What the demo shows, act by act."""

from __future__ import annotations

import shlex
from pathlib import Path

from reconciler.cli.exits import Exit
from reconciler.cli.repository import pause
from reconciler.cli.stage import Stage
from reconciler.drivers.simulated import by_hand, by_hand_base
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.ports.nameserver import RecordSet

MACHINE = "production-web-1"
HOST, NTP = "virt2", "/etc/chrony/chrony.conf"
ZONE, SERVER = "farm.internal", "ns"
_GIB = 2**30
_STOLEN = RecordSet("www", "CNAME", 3600, ("mail.farm.internal.",))


def play(stage: Stage, example: Path) -> None:
    """All acts. Each stands on the one before."""
    describe(stage, example)
    converge(stage)
    drift_and_heal(stage)
    promote(stage)
    look_after_hosts(stage)
    refuse(stage)
    remember(stage)


def describe(stage: Stage, example: Path) -> None:
    """A config repository is made, with a bare repository in the part of the forge."""
    stage.act("Git says what should be")
    stage.tell(
        "A config repository: three servers, three environments, one tree on three branches."
    )
    stage.shell(f"cp -r {shlex.quote(str(example))} farm && cd farm")
    stage.shell("git init --quiet --initial-branch=development && git add .")
    stage.shell("git commit --quiet --message='Describe the farm'")
    stage.shell("git branch staging && git branch production")
    stage.tell("A bare repository plays the part of your forge. Its notes are fetched along.")
    stage.shell("git clone --quiet --bare . ../origin.git")
    stage.shell(
        "git remote add origin ../origin.git && "
        "git config --add remote.origin.fetch '+refs/notes/*:refs/notes/*'"
    )
    stage.tell("A virtual machine is short. The rest comes from its stack and from the farm.")
    stage.shell("cat vms/web-1.yaml")
    stage.reconciler("validate")


def converge(stage: Stage) -> None:
    """Three environments are made on empty servers."""
    stage.act("The farm becomes what git says")
    stage.tell(
        "Three empty servers are simulated in world.yaml. The environments share them, each\n"
        "within its quota and under names of its own."
    )
    stage.reconciler("sync --all")
    stage.tell("Asked again, there is nothing to do. That is what exit code 0 means.")
    stage.reconciler("plan --environment production")


def drift_and_heal(stage: Stage) -> None:
    """Somebody changes a machine and a name by hand; it is found, recorded and healed."""
    stage.act("Somebody changes things by hand")
    farm = SimulatedFarm.open(stage.directory / "world.yaml", sleep=pause)
    host = next(name for name, each in farm.state.hosts.items() if MACHINE in each.domains)
    stage.by_hand(
        host,
        f"virsh setmem {MACHINE} 1G --live --config",
        lambda: by_hand.set_memory(farm, host, MACHINE, _GIB),
    )
    stage.by_hand(
        SERVER,
        "nsupdate -l   # www.farm.internal. now points at mail",
        lambda: by_hand.put_record(farm, SERVER, ZONE, _STOLEN),
    )
    stage.tell("Whoever looks sees what differs, and which line of the repository owns it.")
    stage.reconciler("drift --environment production", ends=Exit.DIFFERENT)
    stage.tell("A sync writes the drift into git, and then heals it.")
    stage.reconciler("sync --environment production")
    stage.shell("git fetch --quiet && git log --oneline origin/reconciler/production")
    stage.tell("What was changed by hand is a commit that one can read, link to and argue about.")
    stage.shell("git show --format='%h %s' --unified=0 origin/reconciler/production~1 -- world")


def promote(stage: Stage) -> None:
    """One change goes up through the environments by merges."""
    stage.act("A change goes up: development, staging, production")
    stage.shell("sed -i 's/data, size: 8 GiB/data, size: 12 GiB/' vms/web-1.yaml")
    stage.shell("git diff --unified=0 --no-prefix")
    stage.shell("git commit --quiet --all --message='Give web-1 more room'")
    stage.shell("git push --quiet origin development")
    stage.tell("The plan names the one field that differs, where it is written, and what it costs.")
    _plan_and_sync(stage, "development")
    stage.tell("A promotion is a plain merge.")
    _merge(stage, "development", "staging")
    _plan_and_sync(stage, "staging")
    _merge(stage, "staging", "production")
    _plan_and_sync(stage, "production")


def look_after_hosts(stage: Stage) -> None:
    """A file of a server is changed in git, and then by hand."""
    stage.act("A server is kept as it is described")
    stage.tell("What a server itself must be is a stack, too: packages, files, services, accounts.")
    stage.shell("sed -i 's/maxdistance 16/maxdistance 8/' stacks/virthost.yaml")
    stage.shell("git commit --quiet --all --message='Trust no distant clock'")
    stage.shell("git push --quiet origin production")
    stage.tell("A service that reads the file is restarted once, on each server.")
    _plan_and_sync(stage, "production")
    farm = SimulatedFarm.open(stage.directory / "world.yaml", sleep=pause)
    content = farm.state.hosts[HOST].base.files[NTP].content
    stage.by_hand(
        HOST,
        f"echo 'local stratum 1' >> {NTP} && systemctl restart chrony",
        lambda: _edit_and_restart(farm, f"{content}local stratum 1\n"),
    )
    stage.reconciler("drift --environment production", ends=Exit.DIFFERENT)
    stage.reconciler("sync --environment production")


def _edit_and_restart(farm: SimulatedFarm, content: str) -> None:
    by_hand_base.edit_file(farm, HOST, NTP, content)
    by_hand_base.restart_service(farm, HOST, "chrony")


def refuse(stage: Stage) -> None:
    """A commit that does not load changes nothing."""
    stage.act("A bad commit changes nothing")
    stage.shell("sed -i 's/^memory:/memmory:/' stacks/debian-web.yaml")
    stage.shell("git commit --quiet --all --message='Tune the web servers'")
    stage.shell("git push --quiet origin production")
    stage.reconciler("sync --environment production", ends=Exit.ERROR)
    stage.tell("The last good commit stays in force, and is kept so until the branch is mended.")
    stage.reconciler("status --environment production", ends=Exit.DIFFERENT)
    stage.shell("git revert --no-edit HEAD >/dev/null && git push --quiet origin production")
    stage.reconciler("sync --environment production")


def remember(stage: Stage) -> None:
    """The whole story is in git."""
    stage.act("Git remembers all of it")
    stage.reconciler("status")
    stage.shell("git fetch --quiet && git log --graph --oneline origin/reconciler/production")
    stage.tell("And each commit of the config repository says what became of it.")
    stage.shell("git log --notes=reconciler/production -3")


def _merge(stage: Stage, source: str, target: str) -> None:
    stage.shell(f"git switch --quiet {target} && git merge --quiet {source}")
    stage.shell(f"git push --quiet origin {target}")


def _plan_and_sync(stage: Stage, environment: str) -> None:
    stage.reconciler(f"plan --environment {environment}", ends=Exit.DIFFERENT)
    stage.reconciler(f"sync --environment {environment}")
