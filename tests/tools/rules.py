"""Rules of the house that no general linter has, read from the syntax tree of every product file.

Each rule keeps one promise of the design from being broken by accident: wall time has one owner,
statements for the database are never put together from strings (T16, A7), nothing goes through a
shell, only the loop may catch everything, nothing is evaluated or unpickled, no socket leaves the
machine (R05) and nothing writes a picture of a person (R17, R36). The rules look at names, so they
stop habits and slips; they do not stop someone who hides what they do.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.tools.statements import statements
from tests.tools.syntax import calls, imports, last_two, name_of

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("terminal", "hw", "models")

WALL_TIME_OWNER = "terminal/clock.py"
CATCH_ALL_OWNER = "terminal/loop.py"
NETWORK_OWNER = "models/fetch.py"
# It films the scenes that it draws itself, on a desk; no camera's frame reaches it.
PICTURE_OWNER = "hw/bench_camera.py"

_WALL_TIME = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"} | {
    "time.time_ns",
    "time.localtime",
    "time.strftime",
    "time.ctime",
    "time.gmtime",
}
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
        if isinstance(node, ast.Attribute) and last_two(node) in _WALL_TIME:
            yield node, f"{last_two(node)} is for {WALL_TIME_OWNER} alone: take the time handed in"


def shells(tree: ast.Module, path: str) -> Iterator[tuple[ast.AST, str]]:
    """No command line is ever read by a shell."""
    for call in calls(tree):
        if isinstance(call.func, ast.Attribute) and last_two(call.func) in _SHELLS:
            yield call, f"{last_two(call.func)} starts a shell: subprocess.run with a list"
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
    for call in calls(tree):
        if isinstance(call.func, ast.Name) and call.func.id in _EVALUATORS:
            yield call, f"{call.func.id}() runs data"
        for keyword in call.keywords:
            if keyword.arg == "allow_pickle" and not _is_false(keyword.value):
                yield call, "allow_pickle= runs data"
    if modules := imports(tree, _UNPICKLERS):
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


def _names(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Every name that is used or imported, with the node it stands at."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            yield node, name_of(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((node, alias.name) for alias in node.names)


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
        isinstance(kind, ast.Attribute | ast.Name) and name_of(kind) in _CATCH_ALL for kind in kinds
    )


if __name__ == "__main__":
    sys.exit(main())
