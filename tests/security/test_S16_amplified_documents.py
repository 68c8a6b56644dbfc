"""S16, S01: a few lines that thousands of machines inherit do not fill the reconciler's memory."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from reconciler.config.check_machines import MOST_TEXT_IN_ALL
from reconciler.config.documents import MOST_PARTS
from reconciler.config.load import load
from reconciler.config.resolve import MOST_INHERITED
from reconciler.errors import ConfigError
from reconciler.gitops.directory import DirectoryTree
from tests.scenes.scene import example_files

VMS = "environments/production/vms/many.yaml"


def refusal(root: Path, stack: str, machines: int) -> str:
    files = example_files() | {
        "stacks/large.yaml": f"kind: Stack\nname: large\nmemory: 1 GiB\n{stack}".encode(),
        VMS: "---\n".join(
            f"kind: VirtualMachine\nname: many-{number}\nstack: large\n"
            for number in range(machines)
        ).encode(),
    }
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(DirectoryTree(root), "production")
    return str(caught.value)


def test_a_stack_of_ten_thousand_disks_is_refused_before_machines_have_them(
    tmp_path: Path,
) -> None:
    disks = "".join(f"  - {{name: d{number}, size: 1 MiB}}\n" for number in range(10_000))
    began = time.process_time()
    said = refusal(tmp_path, f"disks:\n{disks}", machines=2000)
    assert f"{MOST_INHERITED} may be" in said
    assert f"at most {MOST_PARTS}" in said
    assert time.process_time() - began < 10


def test_files_that_all_machines_inherit_are_counted_together(tmp_path: Path) -> None:
    text = "a" * 60_000
    files = "".join(f"    - {{path: /etc/x{number}, content: {text}}}\n" for number in range(4))
    stack = (
        f"image: debian-12\ndisks:\n  - {{name: root, size: 4 GiB}}\nfirst_boot:\n  files:\n{files}"
    )
    machines = MOST_TEXT_IN_ALL // (4 * len(text)) + 1
    assert "all machines" in refusal(tmp_path, stack, machines)
