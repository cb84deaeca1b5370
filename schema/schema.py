"""The schema object: what the API is, with the limits that every query keeps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import strawberry
from graphql import GraphQLError, execute
from strawberry.exceptions import MissingQueryError
from strawberry.extensions.runner import SchemaExtensionsRunner
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types import ExecutionContext
from strawberry.types.execution import PreExecutionError
from strawberry.utils.await_maybe import await_maybe

from resolvers.functions import begin_request
from schema.machinery.answer_size import AnswerSize
from schema.machinery.documents import Documents, check_operation
from schema.machinery.executor import FairExecutor
from schema.machinery.inputs import make_inputs_early
from schema.machinery.masking import Masking
from schema.machinery.scalars import SCALARS
from schema.machinery.turns import LIGHT, aside
from schema.types.accounts import AccountMutation, AccountQuery
from schema.types.audit import AuditQuery
from schema.types.blocks import BlockMutation, BlockQuery
from schema.types.flow_mutations import FlowMutation
from schema.types.flow_subscription import FlowSubscription
from schema.types.flows import FlowQuery
from schema.types.hosts import HostMutation
from schema.types.job_mutations import JobMutation
from schema.types.job_queries import JobQuery
from schema.types.pool import PoolQuery, PoolSubscription
from schema.types.results import ResultMutation
from schema.types.reviews import ReviewMutation, ReviewQuery
from schema.types.tasks import TaskMutation
from schema.types.variables import VariableMutation
from schema.types.viewer import ViewerQuery


@strawberry.type(
    description="What the pool knows: its jobs with their variables and results, its flows and hosts, who asks, and "
    "how it does."
)
class Query(JobQuery, FlowQuery, PoolQuery, ViewerQuery, AccountQuery, ReviewQuery, BlockQuery, AuditQuery):
    pass


@strawberry.type(
    description="What owners and volunteers do. A mutation takes one `input`, and reports what is wrong with it in "
    "`userErrors`."
)
class Mutation(
    JobMutation,
    VariableMutation,
    TaskMutation,
    ResultMutation,
    FlowMutation,
    HostMutation,
    AccountMutation,
    ReviewMutation,
    BlockMutation,
):
    pass


@strawberry.type(description="What happens in the pool, as it happens: over a WebSocket or as server-sent events.")
class Subscription(FlowSubscription, PoolSubscription):
    pass


class PoolSchema(strawberry.Schema):
    """A schema whose requests do not keep others waiting: what grows with a request is done in a thread or in turns."""

    documents = Documents()

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Callers' mistakes are none of the log's business, and `Masking` logs the pool's own."""

    async def _prepare_operation_async(
        self, context: ExecutionContext, extensions_runner: SchemaExtensionsRunner
    ) -> PreExecutionError | None:
        """Strawberry would parse and validate on the event loop, however long that takes."""
        if not context.query:
            raise MissingQueryError
        begin_request(context.context.runtime)
        try:
            checked = await self.documents.checked(self._schema, context.query)
        except GraphQLError as problem:
            return PreExecutionError(data=None, errors=[problem])
        context.graphql_document = checked.document
        check_operation(checked.document, context._provided_operation_name)
        if context.operation_type not in context.allowed_operations:
            raise InvalidOperationTypeError(context.operation_type)
        return PreExecutionError(data=None, errors=checked.problems) if checked.problems else None

    def _get_execute_function(self) -> Callable[..., Any]:
        return execute_aside


def execute_aside(*arguments: Any, **options: Any) -> Any:
    """As graphql-core's `execute`, which coerces the variables before anything can be awaited: many, in a thread."""
    call = partial(execute, *arguments, **options)
    weight = getattr(options["context_value"], "weight", 0)
    return call() if weight <= LIGHT else _awaited(call, weight)


async def _awaited(call: Callable[[], Any], weight: int) -> Any:
    return await await_maybe(await aside(call, weight=weight))


schema = PoolSchema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=[Masking, AnswerSize],
    execution_context_class=FairExecutor,
    config=StrawberryConfig(scalar_map=SCALARS),
)
make_inputs_early(schema)


def sdl() -> str:
    """The schema as text, directives of the REST facade included."""
    return schema.as_str() + "\n"
