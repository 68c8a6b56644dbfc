"""What GitHub and Gitea are asked in the same words: Gitea took them over from GitHub."""

from __future__ import annotations

from urllib.parse import quote

from reconciler.gitops.forges.answers import Call
from reconciler.gitops.forges.port import CommitStatus
from reconciler.gitops.forges.text import one_line


def status_call(repo: str, commit: str, status: CommitStatus, longest: int) -> Call:
    """The call that says how it stands with a commit, in at most `longest` characters.

    `repo` is the path of the repository in the forge's API.
    """
    body = {
        "state": status.state.value,
        "context": status.context,
        "description": one_line(status.description, longest),
    }
    if status.url:
        body["target_url"] = status.url
    return Call("POST", f"{repo}/statuses/{quote(commit, safe='')}", "commit status", body=body)
