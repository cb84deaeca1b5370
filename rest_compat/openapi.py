"""The OpenAPI 3.1 document of the facade, from the operations it serves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphql import GraphQLSchema

from rest_compat import problems
from rest_compat.arguments import Parameter, is_required
from rest_compat.calls import definition
from rest_compat.inputs import MutationInput
from rest_compat.json_schemas import JsonSchemas
from rest_compat.operations import NO_CONTENT, Operation, ReadOperation, WriteOperation
from rest_compat.requests import IDEMPOTENCY_KEY
from rest_compat.resources import Collection, Resource
from schema.machinery.access import WHO, Access

PATH = "/openapi.json"
"""Where the document is served."""

_PAGE_SIZE = {"type": "integer", "minimum": 1}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A request that is repeated with the same key, URL and body is answered as it was the first time.",
    "schema": {"type": "string", "pattern": IDEMPOTENCY_KEY},
}
_TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token of an account, where the pool wants tokens. Reading and volunteering take none; one that "
    "the pool doesn't know is refused everywhere.",
}


def answer_name(operation: Operation) -> str:
    """The name, among the document's schemas, of what the operation answers."""
    if isinstance(operation, ReadOperation) and isinstance(operation.shown, Resource):
        return operation.shown.type_name
    if isinstance(operation, WriteOperation) and not operation.echoes:
        return operation.shown.type_name
    return f"{operation.id[0].upper()}{operation.id[1:]}Answer"


def describe(operations: Iterable[Operation], schema: GraphQLSchema, title: str, version: str) -> dict[str, Any]:
    """The OpenAPI document."""
    return _Description(schema).document(list(operations), title, version)


class _Description:
    def __init__(self, schema: GraphQLSchema) -> None:
        self._schemas = JsonSchemas(schema)

    def document(self, operations: list[Operation], title: str, version: str) -> dict[str, Any]:
        paths: dict[str, dict[str, Any]] = {}
        for operation in operations:
            path = paths.setdefault(operation.address.template, {})
            path[operation.method.lower()] = self._operation(operation)
            if isinstance(operation, ReadOperation):
                for alternate in operation.alternates:
                    paths[operation.address.template + alternate.suffix] = {
                        "get": {
                            "operationId": f"{operation.id}_{alternate.call.name}",
                            "summary": alternate.call.field.description or "",
                            "parameters": self._path_parameters(operation),
                            "responses": {
                                "200": {
                                    "description": "The resource in this representation.",
                                    "content": {alternate.types[0]: {"schema": {"type": "string"}}},
                                },
                                **_problem_responses(["304", "404", "default"]),
                            },
                        }
                    }
        return {
            "openapi": "3.1.0",
            "info": {"title": title, "version": version},
            "servers": [{"url": "."}],
            "paths": paths,
            "components": {"schemas": self._schemas.components, "securitySchemes": {"token": _TOKEN}},
        }

    def _operation(self, operation: Operation) -> dict[str, Any]:
        described: dict[str, Any] = {
            "operationId": operation.id,
            "summary": operation.description.partition("\n")[0],
            "description": operation.description,
            "parameters": [*self._path_parameters(operation), *self._parameters(operation)],
            "responses": self._responses(operation),
        }
        if allowed := _who_is_allowed(operation):
            described["description"] += f" Where the pool wants tokens: {allowed[0].lower()}{allowed[1:]}"
            described["security"] = [{}, {"token": []}]
            described["responses"] |= _problem_responses(["401", "403"])
        if isinstance(operation, WriteOperation) and (body := self._body(operation.input)) is not None:
            described["requestBody"] = {
                "required": operation.input.needs_body,
                "content": {name: {"schema": body} for name in ("application/json", "application/hal+json")},
            }
        return described

    def _path_parameters(self, operation: Operation) -> list[dict[str, Any]]:
        return [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            for name in operation.address.variables
        ]

    def _parameters(self, operation: Operation) -> list[dict[str, Any]]:
        parameters: list[Parameter] = []
        described: list[dict[str, Any]] = []
        paged: tuple[str, ...] = ()
        if isinstance(operation, ReadOperation):
            parameters += operation.step.arguments.query
            if operation.picked:
                known = {parameter.json_name for parameter in parameters}
                parameters += [p for p in operation.picked.step.arguments.query if p.json_name not in known]
            if isinstance(operation.shown, Collection) and operation.shown.paged:
                paged = ("first", "last")
        elif isinstance(operation, WriteOperation):
            parameters += [parameter for _, parameter in operation.input.query]
            described.append(_IDEMPOTENCY_KEY)
        for parameter in parameters:
            definition = parameter.definition
            schema = _PAGE_SIZE if parameter.json_name in paged else self._schemas.text(definition.type)
            described.append(
                {
                    "name": parameter.json_name,
                    "in": "query",
                    "description": definition.description or "",
                    "required": is_required(definition),
                    "schema": schema,
                }
            )
        return described

    def _body(self, input_: MutationInput) -> dict[str, Any] | None:
        if input_.whole:
            return self._schemas.input(input_.whole[-1].field.type)
        if not input_.properties:
            return None
        return self._schemas.members(input_.type, input_.properties)

    def _responses(self, operation: Operation) -> dict[str, Any]:
        if isinstance(operation, WriteOperation) and operation.status == NO_CONTENT:
            return {str(NO_CONTENT): {"description": "Done."}, **_problem_responses(_WRITE_PROBLEMS)}
        name = answer_name(operation)
        if name not in self._schemas.components:
            self._schemas.components[name] = {}
            self._schemas.components[name] = self._answer(operation)
        content: dict[str, Any] = {
            media_type: {"schema": {"$ref": f"#/components/schemas/{name}"}} for media_type in operation.offers
        }
        if isinstance(operation, WriteOperation):
            success = {"description": "Done.", "content": content}
            if operation.status in (201, 202) and operation.shown.address:
                success["headers"] = {
                    "Location": {
                        "description": "The address of what was created.",
                        "schema": {"type": "string"},
                    }
                }
            return {str(operation.status): success, **_problem_responses(_WRITE_PROBLEMS)}
        assert isinstance(operation, ReadOperation)
        for alternate in operation.alternates:
            content |= {media_type: {"schema": {"type": "string"}} for media_type in alternate.types}
        return {
            "200": {"description": operation.description or "Found.", "content": content},
            **_problem_responses(["304", "400", "404", "406", "422", "default"]),
        }

    def _answer(self, operation: Operation) -> dict[str, Any]:
        links = {"_links": {"$ref": "#/components/schemas/Links"}}
        if isinstance(operation, WriteOperation):
            return self._schemas.resource(operation.shown)
        assert isinstance(operation, ReadOperation)
        if isinstance(operation.shown, Resource):
            return self._schemas.resource(operation.shown)
        collection = operation.shown
        answer: dict[str, Any] = {"type": "object", "properties": dict(links), "required": ["_links"]}
        if collection.embedded:
            members = {"type": "array", "items": self._schemas.ref(collection.resource)}
            answer["properties"]["_embedded"] = {
                "type": "object",
                "properties": {collection.members: members},
                "required": [collection.members],
            }
            answer["required"].append("_embedded")
        if operation.picked:
            answer["properties"] |= self._schemas.properties(operation.picked.resource.writer)
            answer["properties"]["warningMessage"] = {"type": "string"}
        return answer


def _who_is_allowed(operation: Operation) -> str:
    """Who may use an operation that not anyone may, as the schema describes it."""
    said = next((each for each in definition(operation.call.field).directives if isinstance(each, Access)), None)
    if said is None or said.to.name == "ANYONE":
        return ""
    return WHO[said.to.value]


_WRITE_PROBLEMS = ("400", "404", "406", "409", "413", "415", "422", "429", "default")
_SAID = {
    "304": "The client has this representation.",
    "400": "The request can't be read.",
    "401": "There is no token, or one that the pool doesn't know (any more).",
    "403": "The token does not cover this.",
    "404": "There is nothing at this address.",
    "406": "The client takes nothing that there is.",
    "409": "The state of things doesn't allow it.",
    "413": "The body is too long.",
    "415": "The body is not JSON.",
    "422": "The pool can read the request and turns down what it says.",
    "429": "Too many requests; `Retry-After` says when to come again.",
    "default": "What else went wrong.",
}


def _problem_responses(statuses: Iterable[str]) -> dict[str, Any]:
    content = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": _SAID[status], **({} if status == "304" else {"content": content})}
        for status in statuses
    }
