"""Where in a request something is wrong: the path in the input of its mutation, as the pool's own errors name it."""

from __future__ import annotations

import re
from typing import Any

from graphql import (
    ArgumentNode,
    GraphQLError,
    ListValueNode,
    Node,
    ObjectFieldNode,
    ObjectValueNode,
    Source,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    parse,
    visit,
)

INPUT = "input"
"""The argument that mutations have; its name is left out of paths."""
IN_VARIABLE = re.compile(r"Variable '\$(\w+)' has invalid value(?: at (\S+))?: ")
"""How graphql-core begins the message on a variable."""


class Places:
    """Finds the places of errors of one request."""

    def __init__(self) -> None:
        self._sources: dict[Source, _Values] = {}

    def of(self, error: GraphQLError) -> tuple[str, str]:
        """The path of the value that an error is about (`jobs[2].dependent[0].jobs`, or empty), and the message without
        that."""
        at_fault = error.nodes[0] if error.nodes else None
        if at_fault is None or at_fault.loc is None:
            return "", error.message
        values = self._values(at_fault.loc.source)
        if isinstance(at_fault, VariableDefinitionNode) and (said := IN_VARIABLE.match(error.message)):
            name, inner = said.groups("")
            place = f"{values.by_variable.get(name, '')}{inner}".strip(".")
            return place, error.message[said.end() :] if place else error.message
        return values.by_node.get((at_fault.kind, at_fault.loc.start), ""), error.message

    def _values(self, source: Source) -> _Values:
        if source not in self._sources:
            self._sources[source] = _Values()
            visit(parse(source), self._sources[source])
        return self._sources[source]


class _Values(Visitor):
    """The paths of all values in the arguments of a request."""

    def __init__(self) -> None:
        super().__init__()
        self.by_node: dict[tuple[str, int], str] = {}
        self.by_variable: dict[str, str] = {}

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        name = node.name.value
        waiting: list[tuple[str, Node]] = [("" if name == INPUT else name, node.value)]
        while waiting:
            path, value = waiting.pop()
            if value.loc is not None:
                self.by_node[value.kind, value.loc.start] = path
            if isinstance(value, VariableNode):
                self.by_variable.setdefault(value.name.value, path)
            elif isinstance(value, ObjectFieldNode):
                waiting.append((path, value.value))
            elif isinstance(value, ObjectValueNode):
                waiting += [(f"{path}.{each.name.value}".lstrip("."), each) for each in value.fields]
            elif isinstance(value, ListValueNode):
                waiting += [(f"{path}[{at}]", each) for at, each in enumerate(value.values)]
