"""What hosts are credited with, and when they are trusted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from resolvers.runtime import Runtime
from storage import Host, Result, Verdict

TRUSTED_STREAK = 10


def is_trusted(host: Host) -> bool:
    """Enough valid results in a row for a job with an adaptive policy to take its word (BOINC's adaptive
    replication, https://github.com/BOINC/boinc/wiki/AdaptiveReplication)."""
    return host.streak >= TRUSTED_STREAK


async def credit(runtime: Runtime, results: Iterable[Result]) -> None:
    """Count results that have just got their verdicts for, or against, their hosts."""
    valid: dict[str, list[Result]] = defaultdict(list)
    invalid: dict[str, int] = defaultdict(int)
    for result in results:
        if result.verdict in (Verdict.CANONICAL, Verdict.VALID):
            valid[result.host].append(result)
        elif result.verdict == Verdict.INVALID:
            invalid[result.host] += 1
    now = runtime.now()
    for host, group in valid.items():
        elapsed = sum(result.elapsed_ms for result in group)
        await runtime.store.hosts.credit(Host.id_of(host), valid=len(group), elapsed_ms=elapsed, now=now)
    for host, count in invalid.items():
        await runtime.store.hosts.blame(Host.id_of(host), invalid=count, failed=0, now=now)


async def blame_failures(runtime: Runtime, results: Sequence[Result]) -> None:
    """Count what validators turned down, and what threw, against its hosts."""
    failed: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        if result.verdict == Verdict.INVALID:
            failed[result.host].append(result)
    for host, group in failed.items():
        errors = sum(bool(result.error) for result in group)
        await runtime.store.hosts.blame(Host.id_of(host), invalid=len(group) - errors, failed=errors, now=runtime.now())
