"""What the schema says of itself."""

from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    get_introspection_query,
    get_named_type,
    is_specified_directive,
    is_specified_scalar_type,
)

from schema import schema as module
from schema.schema import schema, sdl
from tests.schema.api import Api

COMMITTED = Path(module.__file__).parent / "schema.graphql"
TYPES: list[GraphQLNamedType] = [
    each
    for name, each in schema._schema.type_map.items()
    if not name.startswith("__") and not is_specified_scalar_type(each)
]


def test_the_committed_sdl_is_the_schemas() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == sdl(), (
        "the schema has changed: look at the difference, deprecate rather than drop, and then write it with "
        "`make reference` (or `comp-pool schema > schema/schema.graphql`)"
    )


def _described(kind: GraphQLNamedType) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = [(kind.name, kind.description)]
    if isinstance(kind, GraphQLEnumType):
        found += [(f"{kind.name}.{name}", value.description) for name, value in kind.values.items()]
    elif isinstance(kind, GraphQLInputObjectType):
        found += [(f"{kind.name}.{name}", field.description) for name, field in kind.fields.items()]
    elif isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType)):
        for name, field in kind.fields.items():
            found.append((f"{kind.name}.{name}", field.description))
            found += [(f"{kind.name}.{name}({key})", arg.description) for key, arg in field.args.items()]
    return found


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_every_type_field_and_argument_has_a_description(kind: GraphQLNamedType) -> None:
    assert [name for name, description in _described(kind) if not description] == []


def test_every_scalar_of_the_schema_says_where_it_is_specified() -> None:
    scalars = {each.name: each.specified_by_url for each in TYPES if isinstance(each, GraphQLScalarType)}
    assert set(scalars) == {"JSON", "DateTime"}
    assert all(url and url.startswith("https://") for url in scalars.values())


def test_the_size_of_a_page_may_be_null_and_has_a_default() -> None:
    """As Relay wants it (https://relay.dev/graphql/connections.htm#sec-Arguments)."""
    fields = [
        field
        for kind in TYPES
        if isinstance(kind, GraphQLObjectType)
        for field in kind.fields.values()
        if get_named_type(field.type).name.endswith("Connection")
    ]
    assert len(fields) > 10
    assert {(str(field.args["first"].type), field.args["first"].default_value) for field in fields} == {("Int", 100)}


def test_every_directive_of_the_schema_is_described() -> None:
    own = [each for each in schema._schema.directives if not is_specified_directive(each)]
    assert [each.name for each in own if not each.description] == []


@pytest.mark.parametrize("kind", [each for each in TYPES if each.name.endswith("Payload")], ids=str)
def test_every_mutation_says_what_was_wrong_in_its_payload(kind: GraphQLNamedType) -> None:
    assert isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType))
    assert str(kind.fields["userErrors"].type) == "[UserError!]!"


async def test_anybody_may_ask_what_the_schema_is(api: Api) -> None:
    deep = "name kind " + "ofType { name kind " * 9 + "}" * 9
    for query in (get_introspection_query(), "{ __schema { types { fields { args { type { " + deep + " } } } } } }"):
        answer = await api(query)
        assert {each.get("name", "Job") for each in answer["__schema"]["types"]} >= {"Job"}
