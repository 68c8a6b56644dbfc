"""Who sits at the command line, as their own git knows them."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

from git.config import GitConfigParser

from reconciler.gitops.message import one_line

LONGEST_NAME = 100


def person(environment: Mapping[str, str]) -> str:
    """The name that git writes into this person's commits, else that of the account.

    `environment` is that of the process. No work tree is asked: what a repository says of people
    is not what they say of themselves.
    """
    said = environment.get("GIT_AUTHOR_NAME") or _configured(environment)
    return one_line(said, LONGEST_NAME) or _account()


def _configured(environment: Mapping[str, str]) -> str:
    """What the person's own settings of git say; as there, the last file counts."""
    home = Path(environment.get("HOME", "/nonexistent"))
    above = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    own = environment.get("GIT_CONFIG_GLOBAL")
    files = [own] if own else [str(above / "git" / "config"), str(home / ".gitconfig")]
    with GitConfigParser([each for each in files if Path(each).is_file()]) as settings:
        return str(settings.get_value("user", "name", default=""))


def _account() -> str:
    try:
        return one_line(pwd.getpwuid(os.getuid()).pw_name, LONGEST_NAME)
    except KeyError:  # as in a container
        return f"user {os.getuid()}"
