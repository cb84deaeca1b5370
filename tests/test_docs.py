"""The documentation is whole: nothing that users meet goes unmentioned, and every page can be found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import click
import pytest
from pydantic import SecretStr

from cli.group import commands
from rest_compat import Facade
from schema.machinery.context import Context
from schema.schema import schema
from server.settings import Settings
from tests.docs.pages import DOCS, README, ROOT, links, pages

TEXT = "\n".join(page.read_text(encoding="utf-8") for page in pages())
ROOTS = (schema._schema.query_type, schema._schema.mutation_type, schema._schema.subscription_type)


def commands_under(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            inner = command.get_command(context, each)
            assert inner is not None
            yield from commands_under(inner, f"{name} {each}")


COMMANDS = dict(commands_under(commands, "comp-pool"))
OPTIONS = {
    f"{name} {option.opts[0]}"
    for name, command in COMMANDS.items()
    for option in command.params
    if option.opts[0][0] == "-"
}


async def _never_asked(_: object) -> Context:
    raise AssertionError("nothing is served here")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    is_secret = Settings.model_fields[name].annotation is SecretStr
    assert f"`{f'COMP_POOL_{name.upper()}' if is_secret else '--' + name.replace('_', '-')}`" in TEXT
    assert f"`COMP_POOL_{name.upper()}`" in TEXT


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    assert name in TEXT


@pytest.mark.parametrize("option", sorted(OPTIONS))
def test_every_option_is_documented(option: str) -> None:
    command, _, name = option.rpartition(" ")
    page = (DOCS / "reference/command-line.md").read_text(encoding="utf-8")
    section = page.partition(f"## {command}\n")[2].partition("\n## ")[0]
    assert f"`{name}" in section


@pytest.mark.parametrize(
    "route", sorted(f"{each.method} {each.address.template}" for each in Facade(schema, _never_asked).operations)
)
def test_every_route_is_documented(route: str) -> None:
    assert f"`{route}`" in TEXT


@pytest.mark.parametrize("field", sorted(chain.from_iterable(root.fields for root in ROOTS if root)))
def test_every_root_field_is_documented(field: str) -> None:
    assert f"`{field}" in TEXT


def test_every_page_is_reached_from_the_readme() -> None:
    found: set[Path] = set()
    waiting = [README]
    while waiting:
        page = waiting.pop()
        if page not in found:
            found.add(page)
            waiting += [each for each in links(page) if each.suffix == ".md"]
    assert set(pages()) <= found


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert [str(target) for target in links(page) if not target.exists()] == []


@pytest.mark.parametrize("page", sorted((DOCS / "decisions").glob("0*.md")), ids=lambda page: page.stem)
def test_every_decision_has_a_date_and_a_state(page: Path) -> None:
    title, _, dated = page.read_text(encoding="utf-8").partition("\n\n")
    assert re.fullmatch(rf"# {page.stem[:4]} \S.*", title)
    assert re.match(r"20\d\d-\d\d-\d\d · (proposed|accepted|superseded)", dated)


def test_every_place_in_the_glossary_is_there() -> None:
    places = re.findall(r"`([\w/]+/(?:\w+\.\w+)?)`", (DOCS / "glossary.md").read_text(encoding="utf-8"))
    assert len(places) > 30
    assert [place for place in places if not (ROOT / place).exists()] == []
