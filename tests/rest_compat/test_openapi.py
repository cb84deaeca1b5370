"""The OpenAPI document says what the facade does."""

import warnings
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings

from tests.rest_compat.small_pool.facade import facade_of
from tests.rest_compat.small_pool.types import Pool

# Parameters that no route knows are no error: the first clients add some against caches.
CONFIG = schemathesis.Config.from_dict({"generation": {"allow-extra-parameters": False}})

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    served = schemathesis.openapi.from_asgi("/openapi.json", facade_of(Pool()), config=CONFIG)


@served.exclude(path="/broken").parametrize()
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_schemathesis_finds_nothing(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate()
