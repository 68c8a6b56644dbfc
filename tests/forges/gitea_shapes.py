"""Gitea's and Forgejo's answers: the swagger of version 1, see README.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.forges import github_shapes as github
from tests.forges.fake import Api, Asked, Refused, Reply, fields, not_found, queries
from tests.forges.project import TIME, TOKEN, Project, Pull

ROOT = r"/api/v1"
REPO = rf"{ROOT}/repos/acme/farm"
WEB = "https://git.example.org/acme/farm"
_REVIEWS = {"CHANGES_REQUESTED": "REQUEST_CHANGES", "COMMENTED": "COMMENT"}


def _known(headers: Mapping[str, str]) -> bool:
    return headers.get("Authorization") in {f"token {TOKEN}", f"Bearer {TOKEN}"}


def _user(project: Project, login: str) -> dict[str, Any]:
    user = project.users[login]
    return {"id": user.id, "login": login, "full_name": "", "email": f"{login}@example.org"}


def _pull(project: Project, pull: Pull) -> dict[str, Any]:
    return {
        "id": pull.number + 1000,
        "number": pull.number,
        "state": "open" if pull.state == "open" else "closed",
        "title": pull.title,
        "body": pull.body,
        "user": _user(project, pull.author),
        "html_url": f"{WEB}/pulls/{pull.number}",
        "head": {"label": pull.source, "ref": pull.source, "sha": pull.head},
        "base": {"label": pull.target, "ref": pull.target, "sha": "0" * 40},
        "merged": pull.state == "merged",
        "merged_at": TIME if pull.state == "merged" else None,
    }


def status(project: Project, asked: Asked, commit: str) -> Reply:
    optional = {"target_url": str, "description": str, "context": str}
    body = fields(asked, {"state": str}, optional)
    if body["state"] not in {"pending", "success", "error", "failure", "warning"}:
        raise Refused(422, {"message": "unknown state", "url": f"{WEB}/api/swagger"})
    not_found(project.has(commit))
    said = {"commit": commit, "context": body.get("context", "default"), **body}
    project.statuses.append({**said, "url": body.get("target_url")})
    return Reply(201, {"id": len(project.statuses), "status": body["state"], **body})


def pull_of_commit(project: Project, asked: Asked, commit: str) -> Reply:
    """The merged one only."""
    queries(asked)
    pulls = project.pulls.values()
    merged = [each for each in pulls if each.state == "merged" and commit in each.brought]
    not_found(merged)
    return Reply(body=_pull(project, merged[0]))


def pulls(project: Project, asked: Asked) -> Reply:
    query = queries(asked, "limit", "state", "sort", "milestone", "labels", "poster")
    wanted = {"open": {"open"}, "closed": {"merged", "closed"}, "all": {"open", "merged", "closed"}}
    states = wanted[query.get("state", "open")]
    found = [each for each in project.pulls.values() if each.state in states]
    return Reply(body=[_pull(project, each) for each in found])


def make_pull(project: Project, asked: Asked) -> Reply:
    body = fields(asked, {"head": str, "base": str, "title": str}, {"body": str})
    not_found({body["head"], body["base"]} <= project.branches)
    for pull in project.pulls.values():
        if (pull.source, pull.target, pull.state) == (body["head"], body["base"], "open"):
            raise Refused(409, {"message": "pull request already exists for these targets"})
    made = project.pull(body["head"], body["base"], "a" * 40, author=project.me)
    made.title, made.body = body["title"], body.get("body", "")
    return Reply(201, _pull(project, made))


def change_pull(project: Project, asked: Asked, number: str) -> Reply:
    body = fields(asked, {}, {"title": str, "body": str, "state": str, "base": str})
    not_found(int(number) in project.pulls)
    pull = project.pulls[int(number)]
    pull.title, pull.body = body.get("title", pull.title), body.get("body", pull.body)
    return Reply(201, _pull(project, pull))


def comments(project: Project, asked: Asked, number: str) -> Reply:
    """All at once: this list has no pages."""
    queries(asked, "since", "before")
    reply = github.comments(project, asked, number)
    return Reply(reply.status, reply.body, {"X-No-Pages": "true"})


def reviews(project: Project, asked: Asked, number: str) -> Reply:
    queries(asked, "limit")
    not_found(int(number) in project.pulls)
    found = [each for each in project.reviews if each.pull == int(number)]
    listed = [
        {
            "id": at,
            "user": _user(project, each.author),
            "body": each.body,
            "state": "APPROVED" if is_gone else _REVIEWS.get(each.state, each.state),
            "commit_id": each.commit,
            "dismissed": is_gone,
            "stale": False,
            "official": project.users[each.author].may_write,
            "submitted_at": TIME,
        }
        for at, each in enumerate(found, 1)
        for is_gone in (each.state == "DISMISSED",)
    ]
    return Reply(body=listed)


def user(project: Project, asked: Asked) -> Reply:
    queries(asked)
    return Reply(body=_user(project, project.me))


def tag_of(project: Project, asked: Asked, tag: str) -> Reply:
    queries(asked)
    not_found(tag in project.tags)
    return Reply(body={"name": tag, "message": "a tag", "commit": {"sha": "b" * 40}})


API = Api(
    base=ROOT,
    is_known=_known,
    sizes="limit",
    routes=(
        ("POST", rf"{REPO}/statuses/(\w+)", status),
        ("GET", rf"{REPO}/commits/(\w+)/pull", pull_of_commit),
        ("GET", rf"{REPO}/pulls", pulls),
        ("POST", rf"{REPO}/pulls", make_pull),
        ("PATCH", rf"{REPO}/pulls/(\d+)", change_pull),
        ("GET", rf"{REPO}/issues/(\d+)/comments", comments),
        ("POST", rf"{REPO}/issues/(\d+)/comments", github.make_comment),
        ("PATCH", rf"{REPO}/issues/comments/(\d+)", github.change_comment),
        ("GET", rf"{REPO}/pulls/(\d+)/reviews", reviews),
        ("GET", rf"{ROOT}/user", user),
        ("GET", rf"{REPO}/tags/([\w.]+)", tag_of),
        ("GET", rf"{REPO}/releases/tags/([\w.]+)", github.release_of),
        ("POST", rf"{REPO}/releases", github.make_release),
        ("PATCH", rf"{REPO}/releases/(\d+)", github.change_release),
    ),
)
