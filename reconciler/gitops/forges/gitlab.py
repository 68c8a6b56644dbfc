"""GitLab: https://docs.gitlab.com/api/rest, version 4."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from urllib.parse import quote

from pydantic import BaseModel, Field

from reconciler.errors import Conflict, NotFound
from reconciler.gitops.forges.answers import Call
from reconciler.gitops.forges.client import Client
from reconciler.gitops.forges.port import Approval, CommitStatus, PullRequest, State
from reconciler.gitops.forges.text import body_of, hidden, marked, one_line
from reconciler.gitops.forges.token import Token

LONGEST_DESCRIPTION, LONGEST_TITLE = 255, 255
_PAGE: Mapping[str, str | int] = {"per_page": 100}
_STATES = {State.FAILURE: "failed", State.ERROR: "failed"}


class _User(BaseModel):
    id: int
    username: str


class _Merge(BaseModel):
    iid: int
    title: str
    source_branch: str
    target_branch: str
    sha: str | None = None
    web_url: str
    author: _User | None = None
    state: str = ""

    def told(self) -> PullRequest:
        return PullRequest(
            number=self.iid,
            title=self.title,
            source=self.source_branch,
            target=self.target_branch,
            head=self.sha or "",
            url=self.web_url,
            author=self.author.username if self.author else "",
            is_merged=self.state == "merged",
        )


class _Note(BaseModel):
    id: int
    body: str
    author: _User
    system: bool = False
    created_at: datetime


class _Approver(BaseModel):
    user: _User
    approved_at: datetime | None = None


class _Approvals(BaseModel):
    approved_by: list[_Approver] = Field(default_factory=list)


class _Links(BaseModel):
    self: str = ""


class _Release(BaseModel):
    links: _Links = Field(default_factory=_Links, alias="_links")


def headers(token: Token) -> Mapping[str, str]:
    """What goes with each call."""
    return {"PRIVATE-TOKEN": token.reveal(), "Accept": "application/json"}


class GitLab:
    """One project on GitLab."""

    def __init__(self, client: Client, project: str) -> None:
        """`project` is its path, with groups, or its number."""
        self._client = client
        self._project = f"/projects/{quote(project, safe='')}"
        self._own_id: int | None = None

    def set_status(self, commit: str, status: CommitStatus) -> None:
        """Say how it stands with a commit."""
        body = {
            "state": _STATES.get(status.state, status.state.value),
            "name": status.context,
            "description": one_line(status.description, LONGEST_DESCRIPTION),
        }
        if status.url and len(status.url) <= LONGEST_DESCRIPTION:
            body["target_url"] = status.url
        way = f"{self._project}/statuses/{quote(commit, safe='')}"
        try:
            self._client.do(Call("POST", way, "commit status", body=body))
        except Conflict as error:
            # A state that it has already is refused; then it is said.
            if "Cannot transition status" not in error.cause:
                raise

    def pull_requests(self, commit: str) -> tuple[PullRequest, ...]:
        """Those that brought the commit, or have it as their head; open and merged ones."""
        way = f"{self._project}/repository/commits/{quote(commit, safe='')}/merge_requests"
        found = self._client.pages(Call("GET", way, "merge requests", _PAGE), _Merge)
        return tuple(each.told() for each in found)

    def open_pull_request(self, source: str, target: str, title: str, body: str) -> PullRequest:
        """The open merge request of these branches, made if there is none; text is brought up."""
        operation, way = "merge request", f"{self._project}/merge_requests"
        text = {"title": one_line(title, LONGEST_TITLE), "description": body_of(body)}
        branches = {"source_branch": source, "target_branch": target}
        listed = Call("GET", way, operation, {"state": "opened", **branches, **_PAGE})
        for each in self._client.pages(listed, _Merge):
            place = f"{way}/{each.iid}"
            return self._client.ask(Call("PUT", place, operation, body=text), _Merge).told()
        made = Call("POST", way, operation, body={**text, **branches})
        return self._client.ask(made, _Merge).told()

    def comment(self, number: int, marker: str, body: str) -> str:
        """Write the one note that has the hidden marker, new or in place; gives its address."""
        operation, text = "comment", {"body": marked(marker, body)}
        merge = f"{self._project}/merge_requests/{number}"
        page = self._client.ask(Call("GET", merge, operation), _Merge).web_url
        mine, mark = self._me(), hidden(marker)
        for each in self._notes(number):
            if each.author.id == mine and not each.system and each.body.startswith(mark):
                place = f"{merge}/notes/{each.id}"
                self._client.do(Call("PUT", place, operation, body=text))
                return f"{page}#note_{each.id}"
        made = Call("POST", f"{merge}/notes", operation, body=text)
        return f"{page}#note_{self._client.ask(made, _Note).id}"

    def approvals(self, number: int) -> tuple[Approval, ...]:
        """The approvals that stand. They carry no words: the notes of who approved are given.

        GitLab does not tell of which commit, so `commit` is empty and only the words bind.
        """
        way = f"{self._project}/merge_requests/{number}/approvals"
        state = self._client.ask(Call("GET", way, "approvals"), _Approvals)
        if not state.approved_by:
            return ()
        notes = self._notes(number)
        return tuple(
            given
            for each in state.approved_by
            for given in _given(each, [note for note in notes if note.author.id == each.user.id])
        )

    def release(self, tag: str, title: str, body: str) -> str:
        """Publish a release of a tag that is there, or bring its text up; gives its address."""
        operation, name = "release", quote(tag, safe="")
        tags = f"{self._project}/repository/tags/{name}"
        self._client.do(Call("GET", tags, operation))
        text = {"name": one_line(title, LONGEST_TITLE), "description": body_of(body)}
        releases = f"{self._project}/releases"
        try:
            self._client.do(Call("GET", f"{releases}/{name}", operation))
        except NotFound:
            made = Call("POST", releases, operation, body={**text, "tag_name": tag})
            return self._client.ask(made, _Release).links.self
        changed = Call("PUT", f"{releases}/{name}", operation, body=text)
        return self._client.ask(changed, _Release).links.self

    def _notes(self, number: int) -> tuple[_Note, ...]:
        way = f"{self._project}/merge_requests/{number}/notes"
        query = {**_PAGE, "sort": "asc", "order_by": "created_at"}
        return self._client.pages(Call("GET", way, "notes", query), _Note)

    def _me(self) -> int:
        if self._own_id is None:
            self._own_id = self._client.ask(Call("GET", "/user", "who we are"), _User).id
        return self._own_id


def _given(approver: _Approver, notes: list[_Note]) -> Iterator[Approval]:
    """An approval with each word of who approved, or one without words."""
    by = approver.user.username
    words = [note for note in notes if not note.system]
    yield from (Approval(by, "", note.body, note.created_at) for note in words)
    # Not every version tells when it was; then the note that GitLab itself makes of it does.
    noted = [note.created_at for note in notes if note.system and "approved" in note.body]
    times = [approver.approved_at] if approver.approved_at else noted[-1:]
    if not words:
        yield from (Approval(by, "", "", time) for time in times)
