"""GitHub, and GitHub Enterprise Server: https://docs.github.com/en/rest, version 2022-11-28."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from pydantic import BaseModel

from reconciler.errors import Conflict, Denied, NotFound
from reconciler.gitops.forges.alike import status_call
from reconciler.gitops.forges.answers import Call
from reconciler.gitops.forges.client import Client
from reconciler.gitops.forges.port import Approval, CommitStatus, PullRequest
from reconciler.gitops.forges.text import body_of, hidden, marked, one_line
from reconciler.gitops.forges.token import Token

LONGEST_DESCRIPTION, LONGEST_TITLE = 140, 250
MOST_APPROVERS = 50
_PAGE: Mapping[str, str | int] = {"per_page": 100}
_MAY_WRITE = frozenset({"admin", "maintain", "write"})
_DECIDING = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})


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
    merged_at: datetime | None = None

    def told(self) -> PullRequest:
        return PullRequest(
            number=self.number,
            title=self.title,
            source=self.head.ref,
            target=self.base.ref,
            head=self.head.sha,
            url=self.html_url,
            author=self.user.login if self.user else "",
            is_merged=self.merged_at is not None,
        )


class _Comment(BaseModel):
    id: int
    body: str | None = None
    user: _User | None = None
    html_url: str


class _Review(BaseModel):
    user: _User | None = None
    body: str | None = None
    state: str
    commit_id: str | None = None
    submitted_at: datetime | None = None


class _Permission(BaseModel):
    permission: str


class _Release(BaseModel):
    id: int
    html_url: str


class _Viewer(BaseModel):
    viewer: _User


class _Graph(BaseModel):
    data: _Viewer


def headers(token: Token) -> Mapping[str, str]:
    """What goes with each call."""
    return {
        "Authorization": f"Bearer {token.reveal()}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }


class GitHub:
    """One repository on GitHub."""

    def __init__(self, client: Client, project: str) -> None:
        """`project` is owner/name."""
        self._client = client
        self._repo = f"/repos/{quote(project)}"
        self._owner = project.partition("/")[0]
        self._own_name: str | None = None

    def set_status(self, commit: str, status: CommitStatus) -> None:
        """Say how it stands with a commit."""
        self._client.do(status_call(self._repo, commit, status, LONGEST_DESCRIPTION))

    def pull_requests(self, commit: str) -> tuple[PullRequest, ...]:
        """Those that brought the commit, or have it as their head; open and merged ones."""
        way = f"{self._repo}/commits/{quote(commit, safe='')}/pulls"
        found = self._client.pages(Call("GET", way, "pull requests", _PAGE), _Pull)
        return tuple(each.told() for each in found)

    def open_pull_request(self, source: str, target: str, title: str, body: str) -> PullRequest:
        """The open pull request of these branches, made if there is none; text is brought up."""
        operation = "pull request"
        text = {"title": one_line(title, LONGEST_TITLE), "body": body_of(body)}
        of = {"state": "open", "head": f"{self._owner}:{source}", "base": target}
        listed = Call("GET", f"{self._repo}/pulls", operation, {**of, **_PAGE})
        found = self._client.pages(listed, _Pull)
        # An owner that is not the organisation's is not heeded by GitHub: look again.
        for each in (one for one in found if (one.head.ref, one.base.ref) == (source, target)):
            way = f"{self._repo}/pulls/{each.number}"
            return self._client.ask(Call("PATCH", way, operation, body=text), _Pull).told()
        made = {**text, "head": source, "base": target}
        way = f"{self._repo}/pulls"
        return self._client.ask(Call("POST", way, operation, body=made), _Pull).told()

    def comment(self, number: int, marker: str, body: str) -> str:
        """Write the one comment that has the hidden marker, new or in place; gives its address."""
        operation, text = "comment", {"body": marked(marker, body)}
        way = f"{self._repo}/issues/{number}/comments"
        mine, mark = self._me(), hidden(marker)
        for each in self._client.pages(Call("GET", way, operation, _PAGE), _Comment):
            if each.user and each.user.login == mine and (each.body or "").startswith(mark):
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
        standing = {by: each for by, each in latest.items() if each.state == "APPROVED"}
        if len(standing) > MOST_APPROVERS:
            raise Conflict("github", "approvals", f"more than {MOST_APPROVERS} people approved")
        return tuple(
            Approval(by, each.commit_id, each.body or "", each.submitted_at)
            for by, each in standing.items()
            if each.commit_id and each.submitted_at and self._may_write(by)
        )

    def release(self, tag: str, title: str, body: str) -> str:
        """Publish a release of a tag that is there, or bring its text up; gives its address."""
        operation, name = "release", quote(tag, safe="")
        # GitHub would make the tag itself, of whatever is on the default branch.
        self._client.do(Call("GET", f"{self._repo}/git/ref/tags/{quote(tag)}", operation))
        text = {"tag_name": tag, "name": one_line(title, LONGEST_TITLE), "body": body_of(body)}
        try:
            of_tag = Call("GET", f"{self._repo}/releases/tags/{name}", operation)
            found = self._client.ask(of_tag, _Release)
        except NotFound:
            made = Call("POST", f"{self._repo}/releases", operation, body=text)
            return self._client.ask(made, _Release).html_url
        way = f"{self._repo}/releases/{found.id}"
        return self._client.ask(Call("PATCH", way, operation, body=text), _Release).html_url

    def _me(self) -> str:
        """Our own login. The token of an app has no user; GraphQL tells its name all the same."""
        if self._own_name is None:
            try:
                self._own_name = self._client.ask(Call("GET", "/user", "who we are"), _User).login
            except Denied:
                self._own_name = self._app_name()
        return self._own_name

    def _app_name(self) -> str:
        on_a_server = self._client.base.endswith("/api/v3")
        way = "/api/graphql" if on_a_server else "/graphql"
        query = {"query": "query {viewer {login}}"}
        asked = Call("POST", way, "who we are", body=query, is_from_root=True)
        return self._client.ask(asked, _Graph).data.viewer.login

    def _may_write(self, login: str) -> bool:
        """Whether somebody's approval counts: anybody may approve of a public pull request."""
        way = f"{self._repo}/collaborators/{quote(login, safe='')}/permission"
        try:
            asked = Call("GET", way, "rights of an approver")
            return self._client.ask(asked, _Permission).permission in _MAY_WRITE
        except NotFound:
            return False
