"""The schema object: what the API is, with the limits that every query keeps."""

from __future__ import annotations

from collections.abc import Callable

import strawberry
from graphql import ASTValidationRule, GraphQLError
from strawberry.extensions import (
    AddValidationRules,
    MaxTokensLimiter,
    ValidationCache,
)
from strawberry.extensions.base_extension import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from schema.machinery.answer_size import AnswerSize
from schema.machinery.documents import Documents
from schema.machinery.limits import MAX_TOKENS, LimitsRule
from schema.machinery.masking import Masking
from schema.machinery.scalars import SCALARS
from schema.types.accounts import AccountMutation, AccountQuery
from schema.types.flow_mutations import FlowMutation
from schema.types.flow_subscription import FlowSubscription
from schema.types.flows import FlowQuery
from schema.types.hosts import HostMutation
from schema.types.job_mutations import JobMutation
from schema.types.jobs import JobQuery
from schema.types.pool import PoolQuery, PoolSubscription
from schema.types.results import ResultMutation
from schema.types.tasks import TaskMutation
from schema.types.variables import VariableMutation

CACHED_DOCUMENTS = 500


@strawberry.type(
    description="What the pool knows: its jobs with their variables and results, its flows and hosts, who asks, and "
    "how it does."
)
class Query(JobQuery, FlowQuery, PoolQuery, AccountQuery):
    pass


@strawberry.type(
    description="What owners and volunteers do. A mutation takes one `input`, and reports what is wrong with it in "
    "`userErrors`."
)
class Mutation(
    JobMutation, VariableMutation, TaskMutation, ResultMutation, FlowMutation, HostMutation, AccountMutation
):
    pass


@strawberry.type(description="What happens in the pool, as it happens: over a WebSocket or as server-sent events.")
class Subscription(FlowSubscription, PoolSubscription):
    pass


# Made once: the rules are part of the key under which `ValidationCache` finds a document's validation.
RULES: list[type[ASTValidationRule]] = [LimitsRule]

EXTENSIONS: list[Callable[[], SchemaExtension]] = [
    Masking,
    AnswerSize,
    lambda: Documents(maxsize=CACHED_DOCUMENTS),
    lambda: ValidationCache(maxsize=CACHED_DOCUMENTS),
    lambda: MaxTokensLimiter(max_token_count=MAX_TOKENS),
    lambda: AddValidationRules(RULES),
]


class PoolSchema(strawberry.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Callers' mistakes are none of the log's business, and `Masking` logs the pool's own."""


schema = PoolSchema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=EXTENSIONS,
    config=StrawberryConfig(scalar_map=SCALARS),
)


def sdl() -> str:
    """The schema as text, directives of the REST facade included."""
    return schema.as_str() + "\n"
