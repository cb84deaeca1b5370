"""The facade of a small pool."""

from __future__ import annotations

from typing import Any

import strawberry
from starlette.requests import Request
from strawberry.schema.config import StrawberryConfig

from rest_compat import Facade
from schema.machinery.scalars import SCALARS
from tests.rest_compat.small_pool.mutations import Mutation
from tests.rest_compat.small_pool.queries import Query
from tests.rest_compat.small_pool.types import Pool

schema = strawberry.Schema(Query, Mutation, config=StrawberryConfig(scalar_map=SCALARS))


def facade_of(pool: Pool, **settings: Any) -> Facade:
    async def make_context(request: Request) -> Pool:
        return pool

    return Facade(schema, make_context, **settings)
