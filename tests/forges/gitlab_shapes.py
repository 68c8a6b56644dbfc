"""GitLab's answers: docs.gitlab.com/api, the pages of README.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.forges.fake import Api, Asked, Refused, Reply, fields, not_found, queries
from tests.forges.project import TIME, TOKEN, Comment, Project, Pull, Release

ROOT = r"/api/v4"
PROJECT = rf"{ROOT}/projects/acme%2Ffarm"
MERGE = rf"{PROJECT}/merge_requests"
WEB = "https://gitlab.com/acme/farm"
_STATES = {"open": "opened", "merged": "merged", "closed": "closed"}


def _known(headers: Mapping[str, str]) -> bool:
    bearer = headers.get("Authorization") == f"Bearer {TOKEN}"
    return headers.get("PRIVATE-TOKEN") == TOKEN or bearer


def _bad(message: object) -> Refused:
    return Refused(400, {"message": message})


def _user(project: Project, login: str) -> dict[str, Any]:
    user = project.users[login]
    return {"id": user.id, "username": login, "name": login.title(), "state": "active"}


def _merge(project: Project, pull: Pull) -> dict[str, Any]:
    return {
        "id": pull.number + 1000,
        "iid": pull.number,
        "project_id": 35,
        "title": pull.title,
        "description": pull.body,
        "state": _STATES[pull.state],
        "source_branch": pull.source,
        "target_branch": pull.target,
        "author": _user(project, pull.author),
        "sha": pull.head,
        "merge_commit_sha": pull.brought[-1] if pull.brought else None,
        "web_url": f"{WEB}/-/merge_requests/{pull.number}",
        "created_at": TIME,
    }


def _note(project: Project, comment: Comment) -> dict[str, Any]:
    return {
        "id": comment.id,
        "body": comment.body,
        "author": _user(project, comment.author),
        "created_at": TIME,
        "updated_at": TIME,
        "system": comment.system,
        "noteable_type": "MergeRequest",
        "internal": False,
    }


def _release(release: Release) -> dict[str, Any]:
    return {
        "tag_name": release.tag,
        "name": release.title,
        "description": release.body,
        "_links": {"self": f"{WEB}/-/releases/{release.tag}"},
    }


def status(project: Project, asked: Asked, commit: str) -> Reply:
    optional = {"name": str, "context": str, "description": str, "target_url": str, "ref": str}
    body = fields(asked, {"state": str}, optional, status=400)
    if body["state"] not in {"pending", "running", "success", "failed", "canceled", "skipped"}:
        raise _bad("state does not have a valid value")
    for name in ("description", "target_url"):
        if len(body.get(name, "")) > 255:
            raise _bad({name: ["is too long (maximum is 255 characters)"]})
    not_found(project.has(commit))
    context = body.get("name") or body.get("context") or "default"
    before = project.standing(commit, context)
    if before and before["state"] == body["state"] and body["state"] in {"pending", "running"}:
        event = {"pending": "enqueue", "running": "run"}[body["state"]]
        raise _bad(
            f"Cannot transition status via :{event} from :{body['state']} "
            f'(Reason(s): Status cannot transition via "{event}")'
        )
    project.statuses.append(
        {"commit": commit, "context": context, "url": body.get("target_url"), **body}
    )
    return Reply(201, {"id": 93, "sha": commit, "status": body["state"], "name": context})


def merges_of_commit(project: Project, asked: Asked, commit: str) -> Reply:
    queries(asked, "per_page", "state")
    not_found(project.has(commit))
    found = [p for p in project.pulls.values() if commit in {p.head, *p.brought}]
    return Reply(body=[_merge(project, each) for each in found])


def merges(project: Project, asked: Asked) -> Reply:
    known = ("per_page", "state", "source_branch", "target_branch", "order_by", "sort")
    query = queries(asked, *known)
    found = [
        each
        for each in project.pulls.values()
        if query.get("state") in {None, _STATES[each.state]}
        and query.get("source_branch") in {None, each.source}
        and query.get("target_branch") in {None, each.target}
    ]
    return Reply(body=[_merge(project, each) for each in found])


def make_merge(project: Project, asked: Asked) -> Reply:
    required = {"source_branch": str, "target_branch": str, "title": str}
    body = fields(asked, required, {"description": str}, status=400)
    source, target = body["source_branch"], body["target_branch"]
    for pull in project.pulls.values():
        if (pull.source, pull.target, pull.state) == (source, target, "open"):
            said = (
                f"Another open merge request already exists for this source branch: !{pull.number}"
            )
            raise Refused(409, {"message": [said]})
    made = project.pull(source, target, "a" * 40, author=project.me)
    made.title, made.body = body["title"], body.get("description", "")
    return Reply(201, _merge(project, made))


def _found(project: Project, number: str) -> Pull:
    not_found(int(number) in project.pulls)
    return project.pulls[int(number)]


def merge(project: Project, asked: Asked, number: str) -> Reply:
    queries(asked)
    return Reply(body=_merge(project, _found(project, number)))


def change_merge(project: Project, asked: Asked, number: str) -> Reply:
    body = fields(asked, {}, {"title": str, "description": str, "target_branch": str}, status=400)
    pull = _found(project, number)
    pull.title, pull.body = body.get("title", pull.title), body.get("description", pull.body)
    return Reply(body=_merge(project, pull))


def notes(project: Project, asked: Asked, number: str) -> Reply:
    query = queries(asked, "per_page", "sort", "order_by")
    _found(project, number)
    found = project.comments_of(int(number))
    found = found if query.get("sort") == "asc" else found[::-1]
    return Reply(body=[_note(project, each) for each in found])


def make_note(project: Project, asked: Asked, number: str) -> Reply:
    body = fields(asked, {"body": str}, {"created_at": str, "internal": bool}, status=400)
    _found(project, number)
    return Reply(201, _note(project, project.comment(int(number), project.me, body["body"])))


def change_note(project: Project, asked: Asked, number: str, note: str) -> Reply:
    body = fields(asked, {"body": str}, {}, status=400)
    _found(project, number)
    not_found(int(note) in project.comments)
    found = project.comments[int(note)]
    found.body = body["body"]
    return Reply(body=_note(project, found))


def approvals(project: Project, asked: Asked, number: str) -> Reply:
    """As the free edition answers: neither times nor commits, and only who may approve does."""
    queries(asked)
    _found(project, number)
    latest = {each.author: each for each in project.reviews if each.pull == int(number)}
    standing = [
        each
        for each in latest.values()
        if each.state == "APPROVED" and project.users[each.author].may_write
    ]
    by = [{"user": _user(project, each.author)} for each in standing]
    told = {"user_has_approved": False, "user_can_approve": True, "approved": bool(by)}
    return Reply(body={**told, "approved_by": by})


def user(project: Project, asked: Asked) -> Reply:
    queries(asked)
    return Reply(body=_user(project, project.me))


def tag_of(project: Project, asked: Asked, tag: str) -> Reply:
    queries(asked)
    if tag not in project.tags:
        raise Refused(404, {"message": "404 Tag Not Found"})
    return Reply(body={"name": tag, "target": "b" * 40, "message": "a tag"})


def release_of(project: Project, asked: Asked, tag: str) -> Reply:
    queries(asked)
    if tag not in project.releases:
        raise Refused(404, {"message": "404 Not Found"})
    return Reply(body=_release(project.releases[tag]))


def make_release(project: Project, asked: Asked) -> Reply:
    optional = {"name": str, "description": str, "ref": str}
    body = fields(asked, {"tag_name": str}, optional, status=400)
    tag = body["tag_name"]
    if tag not in project.tags:
        raise Refused(422, {"message": "Ref is not specified"})
    if tag in project.releases:
        raise Refused(409, {"message": "Release already exists"})
    made = Release(project.next_id(), tag, body.get("name", tag), body.get("description", ""))
    project.releases[tag] = made
    return Reply(201, _release(made))


def change_release(project: Project, asked: Asked, tag: str) -> Reply:
    body = fields(asked, {}, {"name": str, "description": str}, status=400)
    not_found(tag in project.releases)
    found = project.releases[tag]
    found.title, found.body = body.get("name", found.title), body.get("description", found.body)
    return Reply(body=_release(found))


API = Api(
    base=ROOT,
    is_known=_known,
    sizes="per_page",
    routes=(
        ("POST", rf"{PROJECT}/statuses/(\w+)", status),
        ("GET", rf"{PROJECT}/repository/commits/(\w+)/merge_requests", merges_of_commit),
        ("GET", MERGE, merges),
        ("POST", MERGE, make_merge),
        ("GET", rf"{MERGE}/(\d+)", merge),
        ("PUT", rf"{MERGE}/(\d+)", change_merge),
        ("GET", rf"{MERGE}/(\d+)/notes", notes),
        ("POST", rf"{MERGE}/(\d+)/notes", make_note),
        ("PUT", rf"{MERGE}/(\d+)/notes/(\d+)", change_note),
        ("GET", rf"{MERGE}/(\d+)/approvals", approvals),
        ("GET", rf"{ROOT}/user", user),
        ("GET", rf"{PROJECT}/repository/tags/([\w.]+)", tag_of),
        ("GET", rf"{PROJECT}/releases/([\w.]+)", release_of),
        ("POST", rf"{PROJECT}/releases", make_release),
        ("PUT", rf"{PROJECT}/releases/([\w.]+)", change_release),
    ),
)
