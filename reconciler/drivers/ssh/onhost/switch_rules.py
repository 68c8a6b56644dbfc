"""The rules of the kernel's firewall: kept as they are, and put back in one go."""

from __future__ import annotations

from reconciler.drivers.ssh.onhost.switch_site import QUICK_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reconciler.drivers.ssh.onhost.switch_site import Site


def rules_of(site: Site) -> str | None:
    """The rules that the kernel goes by, without counters; None if there is no `nft` here."""
    code, output = site.run(["nft", "-s", "list", "ruleset"], b"", QUICK_SECONDS)
    return None if code else output


def can_be_loaded(site: Site, rules: str | None) -> bool:
    """Whether these rules can be put back: what other programs made cannot always be."""
    return rules is not None and not _nft(site, ["-c"], _anew(rules))


def put_rules_back(site: Site, record: dict[str, Any]) -> bool:
    """Make the firewall what it was; False if it is that already.

    Raises:
        OSError: the kernel refused.
    """
    saved, now = record["rules"], rules_of(site)
    if saved is None or now is None or saved == now:
        return False
    refusal = _nft(site, [], _anew(saved) if record["is_loadable"] else _without_new(saved, now))
    if refusal:
        raise OSError(f"nft: {refusal[:300]}")
    return True


def _nft(site: Site, words: list[str], rules: str) -> str:
    """Nothing if the rules were taken, else what is wrong with them."""
    code, output = site.run(["nft", *words, "-f", "-"], rules.encode(), QUICK_SECONDS)
    return (output or f"exit code {code}") if code else ""


def _anew(rules: str) -> str:
    return f"flush ruleset\n{rules}"


def _without_new(saved: str, now: str) -> str:
    return "".join(f"delete {table}\n" for table in sorted(_tables(now) - _tables(saved)))


def _tables(rules: str) -> set[str]:
    return {line[:-1].strip() for line in rules.splitlines() if line.startswith("table ")}
