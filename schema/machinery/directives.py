"""The schema directives that declare the REST/HAL facade.

A route exists because a field of the schema carries `Hal`; there is no other place to declare one.
Everything else the facade shows (links, parameters, OpenAPI, `OPTIONS`, paging, forms) is compiled from these
directives at start-up by `rest_compat`, which refuses to start on an inconsistent one and names the field.

Directives are given as `directives=[Hal(path=["/jobs/{key}"], role=HalRole.SELF)]` on `strawberry.field`,
`strawberry.mutation` or `strawberry.input` fields. What is left `UNSET` is not printed in the SDL.
"""

from enum import Enum

import strawberry
from strawberry.schema_directive import Location

__all__ = ["Hal", "HalAlternate", "HalField", "HalMethod", "HalRole"]


@strawberry.enum(description="The HTTP method of a route of the REST facade.")
class HalMethod(Enum):
    """The method of a route. `HEAD` follows every `GET` and `OPTIONS` every path: neither is declared."""

    GET = strawberry.enum_value("GET", description="Reads.")
    POST = strawberry.enum_value("POST", description="Adds something, or does something else that is not idempotent.")
    PUT = strawberry.enum_value("PUT", description="Puts something whole in its place.")
    PATCH = strawberry.enum_value("PATCH", description="Changes parts of something.")
    DELETE = strawberry.enum_value("DELETE", description="Removes something, or has it end.")


@strawberry.enum(description="What the value of a field is in the answer of a route of the REST facade.")
class HalRole(Enum):
    """What the field's value is in the answer.

    One path and method has at most one primary field (`SELF`, `ANSWER`, `LINKS` or `EMBED`: a second one is a
    start-up error) and at most one of `HOIST` and `STAND_IN` beside it.
    """

    ANSWER = strawberry.enum_value(
        "answer",
        description="The whole answer. A resource keeps the `self` of its own address; a list is embedded.",
    )
    SELF = strawberry.enum_value(
        "self",
        description="The whole answer, and this route is the address of its type: where `self` links point.",
    )
    LINKS = strawberry.enum_value(
        "links",
        description="A connection or list as an array of links to its members, paged with `next` and `prev`.",
    )
    EMBED = strawberry.enum_value(
        "embed",
        description="As `LINKS`, and the members themselves are under `_embedded`.",
    )
    HOIST = strawberry.enum_value(
        "hoist",
        description="One resource, its properties and links at the top level; `self` stays the URL asked.",
    )
    STAND_IN = strawberry.enum_value(
        "stand_in",
        description="One resource, its properties and links at the top level, `self` included.",
    )


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="hal",
    repeatable=True,
    description="Serves this field as a route of the REST facade. The only place where a route is declared.",
)
class Hal:
    """A route.

    Paths of `Query` and `Mutation` fields are absolute. Those of other types' fields are relative to the
    address of their type, that is to the route of the field with `HalRole.SELF` that returns it: with
    `Query.job(key)` at `/jobs/{key}`, `Job.variables` at `variables` is `/jobs/{key}/variables`.

    A `{variable}` of a query's path is an argument of the field. In a mutation's path it is a field of the
    mutation's `input`, dotted to reach inside (`{results.variable}`; a list on the way is made of one
    element). Routes meet by shape: `/jobs/{job}/variables` of a mutation and `/jobs/{key}/variables` of a
    query are one path.

    To write `self` links the facade reads the variables of a type's address from its instances: a variable of
    the type's own segment (`{id}` of `variables/{id}` that returns `Variable`) from the attribute of the name
    `variable_id` (`<type>_<argument>`, snake case) or else `id`; inherited ones only from the long name: a
    `Variable` needs an attribute `job_key`, a `Result` `job_key` and `variable_id`. `strawberry.Private`
    attributes will do, so will properties; `HalField(binds=...)` names another attribute.

    Arguments that are not in the path are query parameters under their snake_case names; of a mutation,
    fields of the body. The field `idempotencyKey` of an input is the header `Idempotency-Key`.

    Attributes:
        path: the route, and further routes of the same operation; links use the first.
        method: default `GET` on queries, `POST` on mutations.
        role: default `ANSWER`.
        rel: relation names under which the parent resource links here. The parent of a nested field is its
            type; of a root field the resource whose address is the longest proper prefix of the path, or else
            the API's root (`/`). Nothing links to an operation without `rel` and `rel_wide`. A name with a
            prefix (`cp:results`) adds the `curies` link.
        rel_wide: relation names under which every resource links here from which the address can be told: a
            route without variables from everywhere (`api-root`), one below `/jobs/{key}` from that job and
            everything below it.
        members: relation name of the array of `LINKS` and `EMBED`; default the last literal segment of the
            path.
        warning: of `HOIST` and `STAND_IN`: served as `warningMessage` when the field is null. (A null primary
            is 404.)
        body: input field, dotted to reach inside (`variables.value`), that takes the whole body, whatever
            JSON value it is. Default: the body is an object of the input's fields that the path doesn't hold.
        returns: field of a mutation's payload that holds the entity (a list: its first). Default: the only
            field beside `userErrors`.
        fields: serve only these properties (JSON names), nothing hoisted: the short echoes of the original
            API.
        status: default 201 with `Location` for a `POST` that returns an entity with an address, otherwise
            200.
        root_property: name under which the API's root shows this route's path as a plain property.
        contract: the lines of the legacy contract that the route keeps, for `comp-pool routes`.
    """

    path: list[str]
    method: HalMethod | None = strawberry.UNSET
    role: HalRole | None = strawberry.UNSET
    rel: list[str] | None = strawberry.UNSET
    rel_wide: list[str] | None = strawberry.UNSET
    members: str | None = strawberry.UNSET
    warning: str | None = strawberry.UNSET
    body: str | None = strawberry.UNSET
    returns: str | None = strawberry.UNSET
    fields: list[str] | None = strawberry.UNSET
    status: int | None = strawberry.UNSET
    root_property: str | None = strawberry.UNSET
    contract: list[int] | None = strawberry.UNSET


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION, Location.INPUT_FIELD_DEFINITION],
    name="halField",
    description="How this field appears in the JSON of the REST facade.",
)
class HalField:
    """How a field of a type, or of an input, appears in the facade's JSON.

    Without it plain attributes are served under their snake_case Python name, fields with a resolver are not
    served, and neither is an `id` of type `ID` (the global id of GraphQL). On a field with a resolver the
    directive (even without arguments) asks for it to be served; its arguments must then all have defaults.

    Attributes:
        name: the JSON name.
        hidden: not served (of an input field: not accepted).
        hoist: of an object-valued JSON field: its own members are also served at the top level, except names
            that the resource uses itself or that legacy clients would trip over.
        link: the link attribute (`name`, `title`) that shows this value in arrays of links to the resource.
        binds: the path variable, by its long name (`variable_id`), that this attribute is the value of.
    """

    name: str | None = strawberry.UNSET
    hidden: bool | None = strawberry.UNSET
    hoist: bool | None = strawberry.UNSET
    link: str | None = strawberry.UNSET
    binds: str | None = strawberry.UNSET


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="halAlternate",
    description="Serves this field's text as another representation of its type's address.",
)
class HalAlternate:
    """Another representation of a resource: the text that this field of its type resolves to.

    The resource's own address serves it when the client asks for one of the types, in `Accept` or (as the
    original's documentation has it) in the `Content-Type` of a `GET`; address + suffix serves it whatever is
    asked for, and the resource links that as `alternate` with the first type.

    Attributes:
        types: media types; address + suffix answers with the first.
        suffix: what the stable address ends in, such as `.js`.
    """

    types: list[str]
    suffix: str
