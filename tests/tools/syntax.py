"""Small questions to a syntax tree, for the rules of the house."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Every call."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def name_of(node: ast.Attribute | ast.Name) -> str:
    """The name itself, or what comes after the last dot."""
    return node.attr if isinstance(node, ast.Attribute) else node.id


def last_two(node: ast.Attribute) -> str:
    """The last two names of `a.b.c`."""
    value = node.value
    before = name_of(value) if isinstance(value, ast.Attribute | ast.Name) else ""
    return f"{before}.{node.attr}"


def imports(tree: ast.Module, wanted: set[str]) -> set[str]:
    """Which of these top-level modules are imported."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found & wanted
