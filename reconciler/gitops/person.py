"""Who sits at the command line, as their own git knows them."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from datetime import timedelta

from reconciler.gitops.message import one_line
from reconciler.gitops.process import Bounds, run

DEADLINE = timedelta(seconds=5)
LONGEST_NAME = 100
_PASSED_ON = ("HOME", "PATH", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_AUTHOR_NAME")


def person(environment: Mapping[str, str]) -> str:
    """The name that git writes into this person's commits, else that of the account.

    `environment` is that of the process. No work tree is asked: what a repository says of people
    is not what they say of themselves.
    """
    passed = {name: environment[name] for name in _PASSED_ON if name in environment}
    if author := one_line(passed.get("GIT_AUTHOR_NAME", ""), LONGEST_NAME):
        return author
    command = ("git", "config", "--global", "--includes", "--get", "user.name")
    try:
        said = run(command, passed, Bounds(DEADLINE)).output.decode("utf-8", "replace")
    except OSError:
        said = ""
    return one_line(said, LONGEST_NAME) or _account()


def _account() -> str:
    try:
        return one_line(pwd.getpwuid(os.getuid()).pw_name, LONGEST_NAME)
    except KeyError:  # as in a container
        return f"user {os.getuid()}"
