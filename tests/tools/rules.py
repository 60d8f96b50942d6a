"""Rules of the house that no general linter has, read from the syntax tree of every product file.

Each rule keeps one promise of the design from being broken by accident: wall time has one owner,
statements for the database are never put together from strings (T16, A7), nothing goes through a
shell, only the loop may catch everything, nothing is evaluated or unpickled, no socket leaves the
machine (R05) and nothing writes a picture of a person (R17, R36). The rules look at names, so they
stop habits and slips; they do not stop someone who hides what they do.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("terminal", "hw", "models")

WALL_TIME_OWNER = "terminal/clock.py"
CATCH_ALL_OWNER = "terminal/loop.py"
NETWORK_OWNER = "models/fetch.py"
# It films the scenes that it draws itself, on a desk; no camera's frame reaches it.
PICTURE_OWNER = "hw/bench_camera.py"
DATABASE_FILES = frozenset({"terminal/schema.py", "terminal/store.py", "terminal/audit.py"})

_WALL_TIME = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"} | {
    "time.time_ns",
    "time.localtime",
    "time.strftime",
    "time.ctime",
    "time.gmtime",
}
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
_SHELLS = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}
_EVALUATORS = {"eval", "exec", "compile", "__import__"}
_UNPICKLERS = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
_NETWORK = {"AF_INET", "AF_INET6", "create_connection", "create_server"}
_PICTURE_WRITERS = {"imwrite", "imwritemulti", "imencode", "VideoWriter", "tofile"} | {
    "tifffile",
    "imageio",
}
_CATCH_ALL = {"Exception", "BaseException"}


@dataclass(frozen=True)
class Finding:
    """One broken rule: a path from the root of the repository, a line, and what is wrong."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        """As compilers print it, so that editors can jump there."""
        return f"{self.path}:{self.line}: {self.message}"


Rule = Callable[[ast.Module, str], Iterator[tuple[ast.AST, str]]]


def wall_time(tree: ast.Module, path: str) -> Iterator[tuple[ast.AST, str]]:
    """Everything but the clock gets its time handed in."""
    if path == WALL_TIME_OWNER:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _last_two(node) in _WALL_TIME:
            yield node, f"{_last_two(node)} is for {WALL_TIME_OWNER} alone: take the time handed in"


def statements(tree: ast.Module, path: str) -> Iterator[tuple[ast.AST, str]]:
    """A statement is a literal, or a constant in capitals; values are bound (T16).

    A function that takes a `statement` may hand it on: the calls of it are looked at in their turn.
    """
    near_database = path in DATABASE_FILES or _touches_database(tree)
    takers = dict.fromkeys(_STATEMENT_METHODS, 0) | _functions_taking_statements(tree)
    handed_on = _handed_on(tree)
    for call in _calls(tree):
        name = _name(call.func) if isinstance(call.func, ast.Attribute | ast.Name) else ""
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
    called = {call.func for call in _calls(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in _SQLITE_METHODS and node not in called:
            yield node, f"{node.attr} is given another name: call it where it stands"


def shells(tree: ast.Module, path: str) -> Iterator[tuple[ast.AST, str]]:
    """No command line is ever read by a shell."""
    for call in _calls(tree):
        if isinstance(call.func, ast.Attribute) and _last_two(call.func) in _SHELLS:
            yield call, f"{_last_two(call.func)} starts a shell: subprocess.run with a list"
        for keyword in call.keywords:
            if keyword.arg == "shell" and not _is_false(keyword.value):
                yield call, "shell= starts a shell: give a list of words"


def catching_all(tree: ast.Module, path: str) -> Iterator[tuple[ast.AST, str]]:
    """Only the loop may catch everything: it secures the door and ends.

    A handler that tidies up and raises again is right anywhere.
    """
    if path == CATCH_ALL_OWNER:
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler) or _raises_again(node):
            continue
        if _catches_all(node.type):
            yield node, f"catches everything, which is for {CATCH_ALL_OWNER} alone: name the errors"


def evaluation(tree: ast.Module, path: str) -> Iterator[tuple[ast.AST, str]]:
    """Data is never run."""
    for call in _calls(tree):
        if isinstance(call.func, ast.Name) and call.func.id in _EVALUATORS:
            yield call, f"{call.func.id}() runs data"
        for keyword in call.keywords:
            if keyword.arg == "allow_pickle" and not _is_false(keyword.value):
                yield call, "allow_pickle= runs data"
    if modules := _imports(tree, _UNPICKLERS):
        yield tree, f"{', '.join(sorted(modules))} runs what it reads"


def network(tree: ast.Module, path: str) -> Iterator[tuple[ast.AST, str]]:
    """No socket but Unix sockets (R05); the fetching of models is a program of its own."""
    if path == NETWORK_OWNER:
        return
    for node, name in _names(tree):
        if name in _NETWORK:
            yield node, f"{name} opens a way out of the machine"


def pictures(tree: ast.Module, path: str) -> Iterator[tuple[ast.AST, str]]:
    """Nothing in the product can write a picture of a person (R17, R36)."""
    if path == PICTURE_OWNER:
        return
    for node, name in _names(tree):
        if name in _PICTURE_WRITERS:
            yield node, f"{name} writes pictures, and the product has no use for one"


RULES: tuple[Rule, ...] = (
    wall_time,
    statements,
    shells,
    catching_all,
    evaluation,
    network,
    pictures,
)


def findings_in(source: str, path: str) -> list[Finding]:
    """What the rules say about `source`, which stands at `path` below the root."""
    try:
        tree = ast.parse(source, filename=path)
    except SyntaxError as error:
        return [Finding(path, error.lineno or 1, f"can't be read by this Python: {error.msg}")]
    found = {
        Finding(path, getattr(node, "lineno", 1), message)
        for rule in RULES
        for node, message in rule(tree, path)
    }
    return sorted(found, key=lambda finding: (finding.line, finding.message))


def product_files(root: Path = ROOT) -> Iterator[Path]:
    """Every Python file that is installed on a terminal."""
    return (path for package in PRODUCT for path in sorted((root / package).rglob("*.py")))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the findings; 1 if there are any."""
    findings = [
        finding
        for path in product_files()
        for finding in findings_in(
            path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
        )
    ]
    print("\n".join(map(str, findings)) or "No rule of the house is broken.")
    return 1 if findings else 0


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _name(node: ast.Attribute | ast.Name) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id


def _last_two(node: ast.Attribute) -> str:
    value = node.value
    before = _name(value) if isinstance(value, ast.Attribute | ast.Name) else ""
    return f"{before}.{node.attr}"


def _imports(tree: ast.Module, wanted: set[str]) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found & wanted


def _names(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Every name that is used or imported, with the node it stands at."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            yield node, _name(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((node, alias.name) for alias in node.names)


def _is_subprocess(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and _last_two(function) == "subprocess.run"


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
    return isinstance(node, ast.Attribute | ast.Name) and _name(node).isupper()


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
    return owner or bool(_imports(tree, _DATABASE))


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
                yield _name(target), value


def _reads_as_sql(node: ast.expr) -> bool:
    return any(
        isinstance(part, ast.Constant) and isinstance(part.value, str) and _SQL.match(part.value)
        for part in ast.walk(node)
    )


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _catches_all(node: ast.expr | None) -> bool:
    if node is None:
        return True
    kinds = node.elts if isinstance(node, ast.Tuple) else [node]
    return any(
        isinstance(kind, ast.Attribute | ast.Name) and _name(kind) in _CATCH_ALL for kind in kinds
    )


if __name__ == "__main__":
    sys.exit(main())
