"""Gitea and Forgejo: https://docs.gitea.com/api, version 1 of both."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from urllib.parse import quote

from pydantic import BaseModel

from reconciler.errors import NotFound
from reconciler.gitops.forges.alike import status_call
from reconciler.gitops.forges.answers import Call
from reconciler.gitops.forges.client import LIST_BYTES, Client
from reconciler.gitops.forges.port import Approval, CommitStatus, PullRequest
from reconciler.gitops.forges.text import body_of, hidden, marked, one_line
from reconciler.gitops.forges.token import Token

LONGEST_DESCRIPTION, LONGEST_TITLE = 255, 255
_PAGE: Mapping[str, str | int] = {"limit": 50}
_DECIDING = frozenset({"APPROVED", "REQUEST_CHANGES"})


class _User(BaseModel):
    login: str


class _Branch(BaseModel):
    ref: str
    sha: str


class _Pull(BaseModel):
    number: int
    title: str
    head: _Branch
    base: _Branch
    html_url: str
    user: _User | None = None
    merged: bool = False

    def told(self) -> PullRequest:
        return PullRequest(
            number=self.number,
            title=self.title,
            source=self.head.ref,
            target=self.base.ref,
            head=self.head.sha,
            url=self.html_url,
            author=self.user.login if self.user else "",
            is_merged=self.merged,
        )


class _Comment(BaseModel):
    id: int
    body: str = ""
    user: _User | None = None
    html_url: str


class _Review(BaseModel):
    user: _User | None = None
    body: str = ""
    state: str
    commit_id: str = ""
    submitted_at: datetime
    dismissed: bool = False
    official: bool = False


class _Release(BaseModel):
    id: int
    html_url: str


def headers(token: Token) -> Mapping[str, str]:
    """What goes with each call."""
    return {"Authorization": f"token {token.reveal()}", "Accept": "application/json"}


class Gitea:
    """One repository on Gitea or Forgejo."""

    def __init__(self, client: Client, project: str) -> None:
        """`project` is owner/name."""
        self._client = client
        self._repo = f"/repos/{quote(project)}"
        self._own_name: str | None = None

    def set_status(self, commit: str, status: CommitStatus) -> None:
        """Say how it stands with a commit."""
        self._client.do(status_call(self._repo, commit, status, LONGEST_DESCRIPTION))

    def pull_requests(self, commit: str) -> tuple[PullRequest, ...]:
        """Those that brought the commit, or have it as their head; open and merged ones."""
        way = f"{self._repo}/commits/{quote(commit, safe='')}/pull"
        found = {each.number: each for each in self._open() if each.head.sha == commit}
        with suppress(NotFound):  # no pull request brought it
            merged = self._client.ask(Call("GET", way, "pull requests"), _Pull)
            found[merged.number] = merged
        return tuple(each.told() for _, each in sorted(found.items()))

    def open_pull_request(self, source: str, target: str, title: str, body: str) -> PullRequest:
        """The open pull request of these branches, made if there is none; text is brought up."""
        operation, way = "pull request", f"{self._repo}/pulls"
        text = {"title": one_line(title, LONGEST_TITLE), "body": body_of(body)}
        for each in self._open():
            if (each.head.ref, each.base.ref) == (source, target):
                place = f"{way}/{each.number}"
                return self._client.ask(Call("PATCH", place, operation, body=text), _Pull).told()
        made = Call("POST", way, operation, body={**text, "head": source, "base": target})
        return self._client.ask(made, _Pull).told()

    def comment(self, number: int, marker: str, body: str) -> str:
        """Write the one comment that has the hidden marker, new or in place; gives its address."""
        operation, text = "comment", {"body": marked(marker, body)}
        way = f"{self._repo}/issues/{number}/comments"
        mine, mark = self._me(), hidden(marker)
        # This list has no pages: all of it comes at once.
        listed = Call("GET", way, operation, most_bytes=LIST_BYTES)
        for each in self._client.ask(listed, list[_Comment]):
            if each.user and each.user.login == mine and each.body.startswith(mark):
                place = f"{self._repo}/issues/comments/{each.id}"
                changed = Call("PATCH", place, operation, body=text)
                return self._client.ask(changed, _Comment).html_url
        return self._client.ask(Call("POST", way, operation, body=text), _Comment).html_url

    def approvals(self, number: int) -> tuple[Approval, ...]:
        """The approvals that stand: each person's latest word, of those who may write."""
        way = f"{self._repo}/pulls/{number}/reviews"
        latest: dict[str, _Review] = {}
        for each in self._client.pages(Call("GET", way, "approvals", _PAGE), _Review):
            if each.user and each.state in _DECIDING:
                latest[each.user.login] = each
        return tuple(
            Approval(by, each.commit_id, each.body, each.submitted_at)
            for by, each in latest.items()
            if each.state == "APPROVED" and each.official and not each.dismissed
        )

    def release(self, tag: str, title: str, body: str) -> str:
        """Publish a release of a tag that is there, or bring its text up; gives its address."""
        operation, name = "release", quote(tag, safe="")
        # Gitea would make the tag itself, of whatever is on the default branch.
        self._client.do(Call("GET", f"{self._repo}/tags/{name}", operation))
        text = {"tag_name": tag, "name": one_line(title, LONGEST_TITLE), "body": body_of(body)}
        try:
            of_tag = Call("GET", f"{self._repo}/releases/tags/{name}", operation)
            found = self._client.ask(of_tag, _Release)
        except NotFound:
            made = Call("POST", f"{self._repo}/releases", operation, body=text)
            return self._client.ask(made, _Release).html_url
        way = f"{self._repo}/releases/{found.id}"
        return self._client.ask(Call("PATCH", way, operation, body=text), _Release).html_url

    def _open(self) -> tuple[_Pull, ...]:
        """The open pull requests; older versions cannot be asked for those of a branch."""
        query = {**_PAGE, "state": "open"}
        return self._client.pages(Call("GET", f"{self._repo}/pulls", "pull requests", query), _Pull)

    def _me(self) -> str:
        if self._own_name is None:
            self._own_name = self._client.ask(Call("GET", "/user", "who we are"), _User).login
        return self._own_name
