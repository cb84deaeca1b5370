"""How much a job trusts its volunteers."""

from __future__ import annotations

from enum import Enum
from typing import Any

import strawberry

from resolvers.units.policies import Policy as StoredPolicy
from schema.types.enums import VariableSource, Visibility


@strawberry.type(description="How results of a job are trusted, and how long the pool waits for them.")
class Policy:
    quorum: int = strawberry.field(description="How many equal results make one of them canonical.")
    target_results: int = strawberry.field(description="How many results are asked for at first.")
    max_errors: int = strawberry.field(description="After how many failed results a variable is given up.")
    max_total: int = strawberry.field(description="How many tasks a variable may have in all.")
    delay_bound_seconds: int = strawberry.field(
        description="How long a lease runs before the task goes to another host."
    )
    adaptive: bool = strawberry.field(description="Whether the word of a host with a good record is enough.")
    accepts_variables_from: VariableSource = strawberry.field(description="Who may add variables.")
    max_iterations: int = strawberry.field(
        description="How many runs the `while` of a flow's job may make, the first one included."
    )
    visibility: Visibility = strawberry.field(
        description="Who may read the job's variables and results, its server-side functions, and what went wrong."
    )

    @classmethod
    def of(cls, policy: StoredPolicy) -> Policy:
        return cls(
            quorum=policy.quorum,
            target_results=policy.replicas,
            max_errors=policy.max_errors,
            max_total=policy.max_total,
            delay_bound_seconds=policy.delay_bound_seconds,
            adaptive=policy.adaptive,
            accepts_variables_from=VariableSource(policy.accepts_variables_from),
            max_iterations=policy.max_iterations,
            visibility=Visibility(policy.visibility),
        )


@strawberry.input(description="A policy. What is left out is as the default, or as it was.")
class PolicyInput:
    quorum: int | None = strawberry.field(
        default=strawberry.UNSET, description="Equal results that make one canonical: 1 (default) to 20."
    )
    target_results: int | None = strawberry.field(
        default=strawberry.UNSET, description="Results asked for at first: from the quorum (default) to 20."
    )
    max_errors: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="Failed results after which a variable is given up: 1 to 100, default 3.",
    )
    max_total: int | None = strawberry.field(
        default=strawberry.UNSET, description="Tasks that a variable may have in all: 1 to 100, default 10."
    )
    delay_bound_seconds: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="Seconds that a lease runs: 1 to 2592000 (30 days), default 600.",
    )
    adaptive: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whether hosts with ten valid results in a row need no second vote. Default: false.",
    )
    accepts_variables_from: VariableSource | None = strawberry.field(
        default=strawberry.UNSET, description="Who may add variables. Default: ANYONE."
    )
    max_iterations: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="Runs that the `while` of a flow's job may make, with the first one: 1 to 1000000, default 1000.",
    )
    visibility: Visibility | None = strawberry.field(
        default=strawberry.UNSET,
        description="Who may read what belongs to the job. Default: PRIVATE where the pool wants tokens, else PUBLIC, "
        "unless its operator says otherwise. In a flow's job it means nothing: the flow has a `visibility` of its own.",
    )

    def changes(self) -> dict[str, Any]:
        """What was given, under the names of the stored policy."""
        given = {name: value for name, value in vars(self).items() if value not in (None, strawberry.UNSET)}
        return {name: value.value if isinstance(value, Enum) else value for name, value in given.items()}
