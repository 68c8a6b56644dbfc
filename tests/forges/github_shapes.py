"""GitHub's answers: docs.github.com/en/rest, the pages of README.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.forges.fake import Api, Asked, Refused, Reply, fields, not_found, queries
from tests.forges.project import TIME, TOKEN, Comment, Project, Pull, Release

REPO = r"/repos/acme/farm"
WEB = "https://github.com/acme/farm"


def _known(headers: Mapping[str, str]) -> bool:
    return headers.get("Authorization") == f"Bearer {TOKEN}"


def _user(project: Project, login: str) -> dict[str, Any]:
    user = project.users[login]
    return {"login": user.login, "id": user.id, "type": "User", "site_admin": False}


def _pull(project: Project, pull: Pull) -> dict[str, Any]:
    return {
        "id": pull.number + 1000,
        "number": pull.number,
        "state": "open" if pull.state == "open" else "closed",
        "title": pull.title,
        "body": pull.body or None,
        "user": _user(project, pull.author),
        "html_url": f"{WEB}/pull/{pull.number}",
        "head": {"label": f"acme:{pull.source}", "ref": pull.source, "sha": pull.head},
        "base": {"label": f"acme:{pull.target}", "ref": pull.target, "sha": "0" * 40},
        "merged_at": TIME if pull.state == "merged" else None,
        "draft": False,
    }


def _comment(project: Project, comment: Comment) -> dict[str, Any]:
    return {
        "id": comment.id,
        "body": comment.body,
        "user": _user(project, comment.author),
        "html_url": f"{WEB}/issues/{comment.pull}#issuecomment-{comment.id}",
        "created_at": TIME,
        "author_association": "COLLABORATOR",
    }


def _release(release: Release) -> dict[str, Any]:
    return {
        "id": release.id,
        "tag_name": release.tag,
        "name": release.title,
        "body": release.body,
        "html_url": f"{WEB}/releases/tag/{release.tag}",
        "draft": False,
        "prerelease": False,
    }


def status(project: Project, asked: Asked, commit: str) -> Reply:
    optional = {"target_url": str, "description": str, "context": str}
    body = fields(asked, {"state": str}, optional)
    if body["state"] not in {"error", "failure", "pending", "success"}:
        raise Refused(422, {"message": "Validation Failed", "errors": [{"field": "state"}]})
    if len(body.get("description", "")) > 140:
        errors = [{"field": "description", "message": "is too long (maximum is 140 characters)"}]
        raise Refused(422, {"message": "Validation Failed", "errors": errors})
    if not project.has(commit):
        raise Refused(422, {"message": f"No commit found for SHA: {commit}"})
    said = {"commit": commit, "context": body.get("context", "default"), **body}
    project.statuses.append({**said, "url": body.get("target_url")})
    return Reply(201, {"id": len(project.statuses), **body})


def pulls_of_commit(project: Project, asked: Asked, commit: str) -> Reply:
    queries(asked, "per_page")
    if not project.has(commit):
        raise Refused(422, {"message": f"No commit found for SHA: {commit}"})
    found = [p for p in project.pulls.values() if commit in {p.head, *p.brought}]
    return Reply(body=[_pull(project, each) for each in found])


def pulls(project: Project, asked: Asked) -> Reply:
    query = queries(asked, "per_page", "state", "head", "base", "sort", "direction")
    found = [
        each
        for each in project.pulls.values()
        if each.state == "open"
        and query.get("head") in {None, f"acme:{each.source}"}
        and query.get("base") in {None, each.target}
    ]
    return Reply(body=[_pull(project, each) for each in found])


def make_pull(project: Project, asked: Asked) -> Reply:
    optional = {"title": str, "body": str, "draft": bool}
    body = fields(asked, {"head": str, "base": str}, optional)
    for place, branch in (("head", body["head"]), ("base", body["base"])):
        if branch not in project.branches:
            errors = [{"resource": "PullRequest", "field": place, "code": "invalid"}]
            raise Refused(422, {"message": "Validation Failed", "errors": errors})
    made = project.pull(body["head"], body["base"], "a" * 40, author=project.me)
    made.title, made.body = body["title"], body.get("body", "")
    return Reply(201, _pull(project, made))


def change_pull(project: Project, asked: Asked, number: str) -> Reply:
    body = fields(asked, {}, {"title": str, "body": str, "state": str, "base": str})
    pull = project.pulls.get(int(number))
    not_found(pull)
    assert pull is not None
    pull.title, pull.body = body.get("title", pull.title), body.get("body", pull.body)
    return Reply(body=_pull(project, pull))


def comments(project: Project, asked: Asked, number: str) -> Reply:
    queries(asked, "per_page", "since")
    not_found(int(number) in project.pulls)
    return Reply(body=[_comment(project, each) for each in project.comments_of(int(number))])


def make_comment(project: Project, asked: Asked, number: str) -> Reply:
    body = fields(asked, {"body": str}, {})
    not_found(int(number) in project.pulls)
    if len(body["body"]) > 65_536:
        raise Refused(422, {"message": "Validation Failed", "errors": ["body is too long"]})
    return Reply(201, _comment(project, project.comment(int(number), project.me, body["body"])))


def change_comment(project: Project, asked: Asked, comment: str) -> Reply:
    body = fields(asked, {"body": str}, {})
    found = project.comments.get(int(comment))
    not_found(found)
    assert found is not None
    found.body = body["body"]
    return Reply(body=_comment(project, found))


def reviews(project: Project, asked: Asked, number: str) -> Reply:
    queries(asked, "per_page")
    not_found(int(number) in project.pulls)
    found = [each for each in project.reviews if each.pull == int(number)]
    listed = [
        {
            "id": at,
            "user": _user(project, each.author),
            "body": each.body,
            "state": each.state,
            "commit_id": each.commit or None,
            "author_association": "COLLABORATOR",
            **({} if each.state == "PENDING" else {"submitted_at": TIME}),
        }
        for at, each in enumerate(found, 1)
    ]
    return Reply(body=listed)


def permission(project: Project, asked: Asked, login: str) -> Reply:
    del asked
    user = project.users.get(login)
    not_found(user)
    assert user is not None
    word = "write" if user.may_write else "read"
    return Reply(body={"permission": word, "role_name": word, "user": _user(project, login)})


def user(project: Project, asked: Asked) -> Reply:
    del asked
    if project.is_app:
        raise Refused(403, {"message": "Resource not accessible by integration"})
    return Reply(body=_user(project, project.me))


def graph(project: Project, asked: Asked) -> Reply:
    body = fields(asked, {"query": str}, {"variables": dict})
    assert "viewer" in body["query"]
    return Reply(body={"data": {"viewer": {"login": project.me}}})


def ref(project: Project, asked: Asked, tag: str) -> Reply:
    del asked
    not_found(tag in project.tags)
    return Reply(body={"ref": f"refs/tags/{tag}", "object": {"type": "tag", "sha": "b" * 40}})


def release_of(project: Project, asked: Asked, tag: str) -> Reply:
    del asked
    not_found(tag in project.releases)
    return Reply(body=_release(project.releases[tag]))


_RELEASE = {"name": str, "body": str, "draft": bool, "prerelease": bool, "target_commitish": str}


def make_release(project: Project, asked: Asked) -> Reply:
    body = fields(asked, {"tag_name": str}, _RELEASE)
    tag = body["tag_name"]
    if tag in project.releases:
        errors = [{"resource": "Release", "code": "already_exists", "field": "tag_name"}]
        raise Refused(422, {"message": "Validation Failed", "errors": errors})
    project.tags.add(tag)  # as GitHub does, of the default branch
    made = Release(project.next_id(), tag, body.get("name", ""), body.get("body", ""))
    project.releases[tag] = made
    return Reply(201, _release(made))


def change_release(project: Project, asked: Asked, number: str) -> Reply:
    body = fields(asked, {}, {"tag_name": str, **_RELEASE})
    found = next((r for r in project.releases.values() if r.id == int(number)), None)
    not_found(found)
    assert found is not None
    found.title, found.body = body.get("name", found.title), body.get("body", found.body)
    return Reply(body=_release(found))


API = Api(
    base="",
    is_known=_known,
    sizes="per_page",
    routes=(
        ("POST", rf"{REPO}/statuses/(\w+)", status),
        ("GET", rf"{REPO}/commits/(\w+)/pulls", pulls_of_commit),
        ("GET", rf"{REPO}/pulls", pulls),
        ("POST", rf"{REPO}/pulls", make_pull),
        ("PATCH", rf"{REPO}/pulls/(\d+)", change_pull),
        ("GET", rf"{REPO}/issues/(\d+)/comments", comments),
        ("POST", rf"{REPO}/issues/(\d+)/comments", make_comment),
        ("PATCH", rf"{REPO}/issues/comments/(\d+)", change_comment),
        ("GET", rf"{REPO}/pulls/(\d+)/reviews", reviews),
        ("GET", rf"{REPO}/collaborators/([\w-]+)/permission", permission),
        ("GET", r"/user", user),
        ("POST", r"/graphql", graph),
        ("GET", rf"{REPO}/git/ref/tags/([\w.]+)", ref),
        ("GET", rf"{REPO}/releases/tags/([\w.]+)", release_of),
        ("POST", rf"{REPO}/releases", make_release),
        ("PATCH", rf"{REPO}/releases/(\d+)", change_release),
    ),
)
