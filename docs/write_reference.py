"""Writes what is told from the code itself: docs/reference/, schema/schema.graphql, and the clients' modules of states
and codes. `make reference` runs it, and a test says when that is due."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import EnumType
from inspect import cleandoc
from pathlib import Path
from textwrap import indent
from typing import get_args

import click
from graphql import GraphQLField, GraphQLNamedType
from pydantic import SecretStr

from cli.group import commands
from docs.write_clients import client_modules
from rest_compat import Facade, Operation
from sandbox import CALL
from schema.machinery.access import Access
from schema.machinery.context import Context
from schema.schema import schema, sdl
from server.settings import Settings, default_database

ROOT = Path(__file__).parents[1]
DATABASE_DEFAULT = "the data directory of the user's account, such as `~/.local/share/comp-pool/pool`"
GENERATED = "<!-- Written by `make reference`: change the code that this describes, not this page. -->"


def reference() -> Mapping[Path, str]:
    """Every generated file by its path."""
    facade = Facade(schema, _never_asked)
    pages = {
        "settings.md": _settings(),
        "command-line.md": _command_line(),
        "graphql.md": _graphql(),
        "routes.md": _routes(facade.operations),
    }
    files = {ROOT / "docs/reference" / name: f"{GENERATED}\n\n" + "\n".join(lines) for name, lines in pages.items()}
    files[ROOT / "docs/reference/openapi.json"] = json.dumps(facade.openapi, indent=1, ensure_ascii=False) + "\n"
    files[ROOT / "schema/schema.graphql"] = sdl()
    files[ROOT / "client/src/call-text.js"] = _call_text()
    return {**files, **client_modules()}


def _call_text() -> str:
    """The text of `sandbox/call.js` for the npm package, which is published without it."""
    lines = "".join(f"  {json.dumps(line, ensure_ascii=False)},\n" for line in CALL.splitlines())
    head = "// Written by `make reference`: change sandbox/call.js, not this.\n\n"
    return f'{head}export const CALL = [\n{lines}].join("\\n");\n'


async def _never_asked(_: object) -> Context:
    raise RuntimeError("the facade was compiled to be described, not to serve")


def _settings() -> Iterator[str]:
    yield "# Settings\n"
    yield "Every setting is an option of `comp-pool serve`, and a variable of the environment. The option wins.\n"
    yield from _heading("option", "environment", "default", "meaning")
    for name, field in Settings.listed().items():
        default = field.get_default(call_default_factory=True, validated_data={})
        if field.annotation is SecretStr:
            default = None
        shown = DATABASE_DEFAULT if default == default_database() else "" if default is None else f"`{default}`"
        kind = (get_args(field.annotation) or (field.annotation,))[0]
        members = list(kind) if isinstance(kind, EnumType) else []  # type: ignore[var-annotated]
        values = f" ({', '.join(f'`{each.value}`' for each in members)})" if members else ""
        option = "" if field.annotation is SecretStr else f"`--{name.replace('_', '-')}`"
        yield _row(option, f"`COMP_POOL_{name.upper()}`", shown, f"{field.description}{values}")
    yield ""


def _command_line() -> Iterator[str]:
    yield "# The command line\n"
    yield from _command(commands, "comp-pool")


def _command(command: click.Command, name: str) -> Iterator[str]:
    context = click.Context(command)
    yield f"## {name}\n"
    yield f"    {name} {' '.join(command.collect_usage_pieces(context))}\n"
    yield from _paragraphs(command.help or "")
    options = [each for each in command.params if isinstance(each, click.Option) and each.name != "help"]
    settings = [each for each in options if each.name in Settings.model_fields and name == "comp-pool serve"]
    if settings:
        yield f"The [settings](settings.md): {', '.join(f'`{each.opts[0]}`' for each in settings)}.\n"
    if shown := [each for each in options if each not in settings]:
        yield from _heading("option", "meaning")
        for option in shown:
            value = "" if option.is_flag else f" {option.make_metavar(context)}"
            yield _row(f"`{', '.join(option.opts)}{value}`", option.help or "")
        yield ""
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            inner = command.get_command(context, each)
            assert inner is not None
            yield from _command(inner, f"{name} {each}")


def _paragraphs(text: str) -> Iterator[str]:
    """Help as Markdown: what Click was told not to wrap is code."""
    for paragraph in cleandoc(text).split("\n\n"):
        is_code = paragraph.startswith("\b")
        shown = indent(paragraph.removeprefix("\b").strip("\n"), "    ") if is_code else paragraph
        yield f"{shown}\n"


def _graphql() -> Iterator[str]:
    yield "# GraphQL\n"
    yield (
        "The root fields. All types, with a description on everything, are in "
        "[schema.graphql](../../schema/schema.graphql), which `comp-pool schema` prints too.\n"
    )
    roots = (schema._schema.query_type, schema._schema.mutation_type, schema._schema.subscription_type)
    for root in filter(None, roots):
        yield f"## {root.name}\n"
        yield from _heading("field", "type", "meaning", "access")
        for name, field in root.fields.items():
            yield _row(f"`{name}{_arguments(field)}`", _type_name(field), field.description or "", _access(field))
        yield ""
    for name in ("AllowedTo", "Scope", "ErrorCode", "WhyNoWork", "Verdict"):
        yield from _enum(schema._schema.type_map[name])


def _arguments(field: GraphQLField) -> str:
    return f"({', '.join(f'{name}: {argument.type}' for name, argument in field.args.items())})" if field.args else ""


def _access(field: GraphQLField) -> str:
    directives = field.extensions["strawberry-definition"].directives
    return "".join(f"`{each.to.name}`" for each in directives if isinstance(each, Access))


def _type_name(field: GraphQLField) -> str:
    return f"`{field.type}`"


def _enum(kind: GraphQLNamedType) -> Iterator[str]:
    yield f"## {kind.name}\n"
    yield f"{kind.description}\n"
    yield from _heading("value", "meaning")
    for name, value in getattr(kind, "values", {}).items():
        yield _row(f"`{name}`", value.description or "")
    yield ""


def _routes(operations: tuple[Operation, ...]) -> Iterator[str]:
    yield "# Routes of the REST API\n"
    yield (
        "Compiled from the `@hal` directives of the schema. [openapi.json](openapi.json) describes them in full; a "
        "running pool serves it at `/openapi.json`. `HEAD` works wherever `GET` does, `OPTIONS` everywhere. The last "
        "column names the lines of the [legacy contract](../legacy-contract.md) that a route keeps.\n"
    )
    yield from _heading("route", "GraphQL field", "meaning", "contract")
    for each in sorted(operations, key=lambda operation: (operation.address.template, operation.method)):
        contract = ", ".join(map(str, each.contract))
        yield _row(f"`{each.method} {each.address.template}`", f"`{each.field}`", each.description, contract)
    yield ""


def _heading(*cells: str) -> Iterator[str]:
    yield _row(*cells)
    yield _row(*("---" for _ in cells))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in cells)} |"


def main() -> None:
    for path, text in reference().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
