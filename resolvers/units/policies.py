"""How much a job trusts its volunteers, and how long it waits for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any, Self

from resolvers.access.visibility import Visibility
from resolvers.errors import BadInput
from storage import Job, Unit


class VariableSource(StrEnum):
    """Who may add variables to a job."""

    ANYONE = "ANYONE"
    OWNER = "OWNER"


LIMITS = {
    "quorum": (1, 20),
    "target_results": (1, 20),
    "max_errors": (1, 100),
    "max_total": (1, 100),
    "delay_bound_seconds": (1, 30 * 24 * 3600),
    "max_iterations": (1, 1_000_000),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """See the design's "Words". `target_results` 0 means as many as the quorum."""

    quorum: int = 1
    target_results: int = 0
    max_errors: int = 3
    max_total: int = 10
    delay_bound_seconds: int = 600
    adaptive: bool = False
    accepts_variables_from: str = VariableSource.ANYONE
    max_iterations: int = 1_000
    visibility: str = Visibility.PUBLIC

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """The policy that a document keeps; what it does not say is the default."""
        return cls(**{f.name: stored[f.name] for f in fields(cls) if f.name in stored})

    def overridden(self, changes: Mapping[str, Any], *, field: str = "policy") -> Policy:
        """This policy with some values replaced.

        Raises BadInput for a value out of range, or values that can't go together. `field` is the input's name.
        """
        changed = replace(self, **changes)
        for name, (least, most) in LIMITS.items():
            if name in changes and not least <= changes[name] <= most:
                raise BadInput(
                    f"a whole number from {least} to {most:,} was expected, got {changes[name]}",
                    field=f"{field}.{name}",
                )
        if changed.replicas < changed.quorum:
            raise BadInput(
                f"{changed.target_results} results are too few for a quorum of {changed.quorum}",
                field=f"{field}.target_results",
            )
        if changed.max_total < changed.replicas:
            raise BadInput(
                f"at most {changed.max_total} tasks can't bring the {changed.replicas} results wanted at first",
                field=f"{field}.max_total",
            )
        return changed

    @property
    def replicas(self) -> int:
        """How many results are asked for at first."""
        return self.target_results or self.quorum

    @property
    def first_replicas(self) -> int:
        """How many tasks a new unit starts with: an adaptive job first tries its luck with a trusted host."""
        return 1 if self.adaptive else self.replicas

    @property
    def delay_bound_ms(self) -> int:
        return self.delay_bound_seconds * 1000

    def dump(self) -> dict[str, Any]:
        return {name: str(v) if isinstance(v, StrEnum) else v for name, v in asdict(self).items()}


def policy_of(job: Job, unit: Unit) -> Policy:
    """The policy a unit is computed under: its own, or its job's."""
    return Policy.of(unit.policy or job.policy)
