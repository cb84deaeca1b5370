"""A server's settings as options, made from the fields that declare them."""

from __future__ import annotations

from collections.abc import Callable
from enum import EnumType
from typing import Any, TypeVar, get_args

import click
from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from server.settings import Settings

_Command = TypeVar("_Command", bound=Callable[..., Any])

METAVARS = {int: "N", float: "SECONDS", str: "TEXT"}


def settings_options(command: _Command) -> _Command:
    """Give a command one option for each setting that is no secret; `settings_of` takes what was given."""
    for name, field in reversed(Settings.listed().items()):
        if field.annotation is SecretStr:
            continue
        command = _option(name, field)(command)
    return command


def _option(name: str, field: FieldInfo) -> Callable[[_Command], _Command]:
    option = f"--{name.replace('_', '-')}"
    if field.annotation is bool:
        return click.option(f"{option}/--no-{option[2:]}", name, default=None, help=_help(name, field))
    return click.option(option, name, metavar=_metavar(field), help=_help(name, field))


def settings_of(given: dict[str, str | bool | None]) -> Settings:
    """The settings of options that were given, then of the environment, then the defaults.

    Raises click.UsageError for one that is out of its range.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as problem:
        raise click.UsageError("; ".join(_complaint(error, given) for error in problem.errors())) from problem


def _complaint(error: Any, given: dict[str, str | bool | None]) -> str:
    message = str(error["ctx"]["error"]) if "error" in error.get("ctx", {}) else error["msg"]
    if not error["loc"]:
        return message
    name = str(error["loc"][0])
    source = f"--{name.replace('_', '-')}" if given.get(name) is not None else f"COMP_POOL_{name.upper()}"
    return f"{source}: {message[0].lower()}{message[1:]}, got {error['input']!r}"


def _kinds(field: FieldInfo) -> tuple[Any, ...]:
    return get_args(field.annotation) or (field.annotation,)


def _metavar(field: FieldInfo) -> str:
    kind = _kinds(field)[0]
    if isinstance(kind, EnumType):
        return "|".join(str(member.value) for member in kind)  # type: ignore[var-annotated]
    return METAVARS[kind]


def _help(name: str, field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    shown = "" if default is None else f"  [default: {default}]"
    return f"{(field.description or '').replace('`', '')}{shown}"
