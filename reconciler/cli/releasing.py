"""What follows when a release has reached production: its tag, and the merges back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.cli.authorship import maker_of
from reconciler.cli.repository import Repository
from reconciler.config.settings import Settings
from reconciler.errors import DriverError
from reconciler.gitops.branches import version_of
from reconciler.gitops.flow.releases import (
    BackMerge,
    Tagged,
    back_merge,
    beside,
    newest_tag,
    tag_object,
    tag_ref,
    unreleased,
)
from reconciler.gitops.refs import branch_ref, short
from reconciler.gitops.report import Report
from reconciler.gitops.source import TOP

_log = logging.getLogger(__name__)
STAGING, DEVELOPMENT = "staging", "development"
Publish = Callable[[str, str, str], None]


@dataclass
class Releasing:
    """Called after a turn. What is to be done is seen in git, so that it may be called any time.

    `publish` takes a tag, a title and a text for the forge. `_looked` is what was there when there
    was nothing left to do.
    """

    repository: Repository
    settings: Callable[[], Settings]
    publish: Publish | None = None
    _looked: tuple[str, Mapping[str, str]] | None = None
    _told: set[str] = field(default_factory=set)

    def __call__(self, report: Report) -> tuple[str, ...]:
        """Do what is due after a turn of production that ended well; gives what was done.

        Raises:
            SourceError: the remote did not answer, or an object is missing.
        """
        if report.environment != TOP or report.finding is not None or not report.revision:
            return ()
        looked = (report.revision, self.repository.mirror.heads())
        if looked == self._looked or self._pattern(looked[1]) is None:
            return ()
        done = tuple(self._follow_up(report.revision))
        if not done:
            self._looked = looked
        for line in done:
            _log.info("%s", line)
        return done

    def _pattern(self, heads: Mapping[str, str]) -> str | None:
        return self.repository.source.release_pattern(STAGING, heads)

    def _follow_up(self, revision: str) -> Iterator[str]:
        """One line for each thing that was done, or could not be done."""
        releases = self.settings().releases
        if releases.tag:
            yield from self._tag(revision)
        tagged = newest_tag(self.repository.mirror.git(), revision)
        if releases.back_merge and tagged is not None:
            yield from self._merge_back(tagged)

    def _tag(self, revision: str) -> Iterator[str]:
        mirror, source = self.repository.mirror, self.repository.source
        past = self.repository.chronicle.recall(STAGING)
        staged = (past.branch, past.ready_revision)
        patterns = source.patterns[STAGING]
        for release in unreleased(mirror.git(), revision, mirror.heads(), patterns, staged):
            made, listed = tag_object(mirror.git(), release, maker_of(self.settings()))
            refused = mirror.publish({tag_ref(release.tag): made})
            if refused:
                reason = next(iter(refused.values())).reason
                yield from self._once(f"the tag {release.tag} was not taken: {reason}")
                continue
            yield f"tagged {release.tag} at {short(release.commit)} of {TOP}"
            if self.publish is not None:
                self.publish(release.tag, release.tag, listed)

    def _merge_back(self, tagged: Tagged) -> Iterator[str]:
        git, maker = self.repository.mirror.git(), maker_of(self.settings())
        for branch, head in self._below().items():
            merge = back_merge(git, branch, head, tagged, maker)
            if merge is not None:
                yield from self._bring(merge, tagged)

    def _below(self) -> Mapping[str, str]:
        """Development's branch, and the releases that are still open."""
        heads, source = self.repository.mirror.heads(), self.repository.source
        pattern = self._pattern(heads) or ""
        feeding = source.branches()
        names = {feeding.get(DEVELOPMENT, "")}
        names |= {each for each in heads if version_of(each, (pattern,)) is not None}
        return {name: heads[name] for name in sorted(names - source.closed()) if name in heads}

    def _bring(self, merge: BackMerge, tagged: Tagged) -> Iterator[str]:
        mirror = self.repository.mirror
        if mirror.heads().get(merge.branch) is not None and merge.is_beside:
            return  # it waits for a person already
        refusal = mirror.publish({branch_ref(merge.branch): merge.commit}).get(
            branch_ref(merge.branch)
        )
        if refusal is None and not merge.is_beside:
            yield f"merged {tagged.tag} back into {merge.onto}"
        elif refusal is None:
            yield (
                f"{tagged.tag} is to be merged back into {merge.onto} by somebody: {merge.reason}; "
                f"merge the branch {merge.branch}{self._pull_request(merge, tagged)}"
            )
        elif merge.is_beside:
            yield from self._once(f"{merge.branch} was not taken: {refusal.reason}")
        elif not refusal.raced:
            yield from self._bring(beside(merge, tagged, refusal.reason), tagged)

    def _pull_request(self, merge: BackMerge, tagged: Tagged) -> str:
        forge = self.repository.forge
        if forge is None:
            return ""
        title = f"Merge {tagged.tag} back into {merge.onto}"
        try:
            return (
                f" ({forge.open_pull_request(merge.branch, merge.onto, title, merge.reason).url})"
            )
        except DriverError as error:
            return f" (no pull request: {error})"

    def _once(self, line: str) -> Iterator[str]:
        """What goes wrong is told once, and tried again each time."""
        if line not in self._told:
            self._told.add(line)
            yield line
