"""The rule that statements for the database are written out and values bound (T16, A7).

It follows a statement by whatever name and way it is given: in place, by keyword, through a helper
that takes a `statement`, from a constant, a migration or a loop. It looks at names, so it stops
habits and slips; it does not stop someone who hides what they do.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.tools.syntax import calls, imports, last_two, name_of

DATABASE_FILES = ("terminal/schema.py", "terminal/store/", "terminal/audit.py")
_DATABASE = {"sqlite3", "sqlite_utils"}
_STATEMENT_METHODS = {"execute", "executemany", "executescript", "query"} | {
    "run",  # these four: terminal.schema.Database, through which all statements go
    "run_each",
    "row",
    "rows",
}
_SQLITE_METHODS = {"execute", "executemany", "executescript"}
_TEXT_BUILDERS = {"format", "format_map", "join", "replace", "substitute", "safe_substitute"}
_SQL = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|PRAGMA|WITH)\b")


def statements(tree: ast.Module, path: str) -> Iterator[tuple[ast.AST, str]]:
    """A statement is a literal, or a constant in capitals; values are bound (T16).

    A function that takes a `statement` may hand it on: the calls of it are looked at in their turn.
    """
    near_database = path.startswith(DATABASE_FILES) or _touches_database(tree)
    takers = dict.fromkeys(_STATEMENT_METHODS, 0) | _functions_taking_statements(tree)
    handed_on = _handed_on(tree)
    for call in calls(tree):
        name = name_of(call.func) if isinstance(call.func, ast.Attribute | ast.Name) else ""
        statement = _statement_of(call, takers.get(name, 0))
        if name not in takers or statement is None or _is_subprocess(call.func):
            continue
        if statement in handed_on:
            continue
        strict = near_database or name in _SQLITE_METHODS
        if _is_built(statement) or (strict and not _is_written_out(statement)):
            yield (
                call,
                f"the statement given to {name}() is put together: write it out, bind values",
            )
    yield from _hidden_statements(tree, near_database)


def _hidden_statements(tree: ast.Module, near_database: bool) -> Iterator[tuple[ast.AST, str]]:
    """A text of SQL that is put together where it is not yet run, and a method by another name.

    That is any such text near the database, a migration for one, and a constant anywhere.
    """
    constants = {value for name, value in _assignments(tree) if name.isupper()}
    for node in ast.walk(tree):
        looked_at = near_database or node in constants
        if looked_at and isinstance(node, ast.expr) and _is_built(node) and _reads_as_sql(node):
            yield node, "a statement is put together: write it out, bind values"
    called = {call.func for call in calls(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in _SQLITE_METHODS and node not in called:
            yield node, f"{node.attr} is given another name: call it where it stands"


def _is_built(node: ast.expr) -> bool:
    """An f-string, or anything with a text joined, formatted, added, chosen or taken apart."""
    if isinstance(node, ast.JoinedStr):
        return not _is_pragma_of_integers(node)
    if isinstance(node, ast.BinOp):
        return _holds_text(node) or isinstance(node.op, ast.Mod)
    if isinstance(node, ast.IfExp):
        return _is_built(node.body) or _is_built(node.orelse)
    if isinstance(node, ast.NamedExpr):
        return _is_built(node.value)
    method = node.func if isinstance(node, ast.Call) else None
    if not isinstance(method, ast.Attribute):
        return False
    return method.attr in _TEXT_BUILDERS or _is_built(method.value)


def _holds_text(node: ast.expr) -> bool:
    return any(
        isinstance(part, ast.JoinedStr)
        or (isinstance(part, ast.Constant) and isinstance(part.value, str))
        for part in ast.walk(node)
    )


def _is_written_out(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    if isinstance(node, ast.JoinedStr):
        return _is_pragma_of_integers(node)
    return isinstance(node, ast.Attribute | ast.Name) and name_of(node).isupper()


def _is_pragma_of_integers(node: ast.JoinedStr) -> bool:
    """SQLite binds no values in a PRAGMA; `:d` lets nothing but an integer through."""
    first, *rest = node.values
    values = [part for part in rest if isinstance(part, ast.FormattedValue)]
    return (
        isinstance(first, ast.Constant)
        and str(first.value).startswith("PRAGMA ")
        and all(ast.unparse(value.format_spec or first) == "f'd'" for value in values)
    )


def _touches_database(tree: ast.Module) -> bool:
    owner = any(
        isinstance(node, ast.ImportFrom) and node.module == "terminal.schema"
        for node in ast.walk(tree)
    )
    return owner or bool(imports(tree, _DATABASE))


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    every = function.args
    return {one.arg for one in (*every.posonlyargs, *every.args, *every.kwonlyargs)}


def _functions_taking_statements(tree: ast.Module) -> dict[str, int]:
    """The names of such functions, and the place of the statement among what they are given."""
    return {
        node.name: _place(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and "statement" in _parameters(node)
    }


def _place(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    names = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    given = names[1:] if names[:1] == ["self"] else names
    return given.index("statement") if "statement" in given else 0


def _statement_of(call: ast.Call, place: int) -> ast.expr | None:
    """What is given as the statement: by name, or else at its place, or what may hold it (`*x`)."""
    named = {word.arg: word.value for word in call.keywords}
    for name in ("statement", "sql"):
        if name in named:
            return named[name]
    starred = [one for one in call.args[: place + 1] if isinstance(one, ast.Starred)]
    return (starred or call.args[place : place + 1] or [None])[0]


def _handed_on(tree: ast.Module) -> set[ast.expr]:
    """Uses of a parameter `statement` as it came, and of what a loop takes from such texts."""
    found: set[ast.expr] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if "statement" in _parameters(node):
                found |= _uses(node, "statement", stores=0)
        elif (
            isinstance(node, ast.For)
            and isinstance(node.target, ast.Name)
            and _are_texts(node.iter)
        ):
            found |= _uses(node, node.target.id, stores=1)
    return found


def _uses(scope: ast.AST, name: str, stores: int) -> set[ast.expr]:
    """Where the name is read in this scope; nowhere, if something else is stored under it there."""
    names = [node for node in ast.walk(scope) if isinstance(node, ast.Name) and node.id == name]
    read = {node for node in names if isinstance(node.ctx, ast.Load)}
    return set(read) if len(names) - len(read) == stores else set()


def _are_texts(node: ast.expr) -> bool:
    """A list that is written out, or the migrations, which are looked at where they are written."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Attribute) and node.value.attr == "migrations"
    return isinstance(node, ast.Tuple | ast.List) and all(
        isinstance(item, ast.Constant) and isinstance(item.value, str) for item in node.elts
    )


def _assignments(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign | ast.AugAssign):
            targets = [node.target]
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) else None
        for target in targets:
            if isinstance(target, ast.Name | ast.Attribute) and value is not None:
                yield name_of(target), value


def _reads_as_sql(node: ast.expr) -> bool:
    return any(
        isinstance(part, ast.Constant) and isinstance(part.value, str) and _SQL.match(part.value)
        for part in ast.walk(node)
    )


def _is_subprocess(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and last_two(function) == "subprocess.run"
