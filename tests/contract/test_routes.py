"""`comp-pool routes --json` says of each route what answers it and which lines of the contract it keeps."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from graphql import GraphQLObjectType

from schema.schema import schema

LINES = set(range(1, 13))


@pytest.fixture(scope="module")
def routes() -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "cli", "routes", "--json"]
    listed: list[dict[str, Any]] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return listed


def test_every_route_names_its_operation_and_a_field_of_the_schema(routes: list[dict[str, Any]]) -> None:
    assert len({route["operation"] for route in routes}) == len({route["path"] + route["method"] for route in routes})
    for route in routes:
        parent, name = route["field"].split(".")
        described = schema._schema.type_map[parent]
        assert isinstance(described, GraphQLObjectType)
        assert name in described.fields, route


def test_every_route_of_the_original_names_lines_of_the_contract(routes: list[dict[str, Any]]) -> None:
    for route in routes:
        kept = set(route["contract"])
        assert kept <= LINES
        assert kept or route["path"].startswith("/flows") or route["method"] == "DELETE", route


def test_every_line_of_the_contract_is_kept_by_some_route(routes: list[dict[str, Any]]) -> None:
    assert {line for route in routes for line in route["contract"]} == LINES
