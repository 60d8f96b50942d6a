"""The docs say only what is so: links, paths, targets and commands that exist, and the right words.

Reads every Markdown file of the repository (what links to where, which files, `make` targets,
`terminalctl` commands and `python -m` modules stand in code), the docstrings of all Python (the
same, and the modules they name) and those of the product (the vocabulary of biometrics and of
doors, see docs/requirements.md for the sources), and every text file (no path of one machine, no
host of a package index: a build machine has its own). It runs nothing of what it reads.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.tools.rules import Finding, product_files

ROOT = Path(__file__).resolve().parents[2]

# ISO/IEC 2382-37 and 30107 have better words: person, comparison score, presentation attack,
# release, allow list.
NOT_OUR_WORDS = (
    "user",
    "users",
    "match confidence",
    "liveness score",
    "spoof",
    "spoofing",
    "spoof-proof",
    "unlock",
    "unlocks",
    "unlocked",
    "whitelist",
)
# In pieces, so that this file does not find itself.
MACHINE_PATHS = tuple("/" + name for name in (r"(?:work|root)(?![\w-])", "home/[a-z]", "tmp/w/"))
INDEX_HOSTS = tuple(
    r"\.".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("piwheels", "org"),
        ("deb", "debian", "org"),
        ("huggingface", "co"),
        ("tuna", "tsinghua"),
        ("mirrors", "aliyun"),
    )
)
_TOP_LEVEL = ("terminal", "hw", "models", "systemd", "tests", "docs", "constraints", ".ci")
_MADE = re.compile(r"models/.*\.tflite|docs/build/.*")
_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.M | re.S)
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_MAKE = re.compile(r"(?:^|[\s;&|(])make((?: +[A-Z]+=\S+)*) +([a-z][a-z_-]*)")
_COMMAND = re.compile(r"(?:^|[\s;&|(/])terminalctl((?: +--?[a-z-]+)*) +([a-z][a-z-]*)")
# In prose too, where it can't be anything else: a document, or a name of one of our packages.
_FILE_IN_PROSE = re.compile(rf"(?<![\w./-])(?:{'|'.join(_TOP_LEVEL)})/[\w./-]*\.(?:md|py|toml)\b")
_NAME = re.compile(r"(?<![\w./-])(?<!-m )(?:terminal|hw|models|tests)(?:\.[A-Za-z_]\w*)+(?![\w/-])")
_FILE_NAME = re.compile(r"\w+\.(?:toml|service|socket|target|conf|sock|db|pid|md|py)")
_MODULE = re.compile(r"python[\d.]*\"? -m ((?:terminal|hw|models|tests)[\w.]*)")


@dataclass(frozen=True)
class Code:
    """A piece of code in a document, and the line on which it begins."""

    text: str
    line: int


@dataclass(frozen=True)
class Repository:
    """What the documents may speak of."""

    root: Path
    targets: frozenset[str]
    commands: frozenset[str]


def read_repository(root: Path) -> Repository:
    """The make targets and the commands of terminalctl, read from the sources under `root`."""
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    targets = frozenset(re.findall(r"^([a-z][a-z_-]*):", makefile, re.M))
    folder = root / "terminal"
    sources = [*folder.glob("cli*.py"), *folder.glob("commands/**/*.py")]
    found = (name for path in sources for name in _parsers(path.read_text(encoding="utf-8")))
    return Repository(root, targets, frozenset(found))


def _parsers(source: str) -> Iterator[str]:
    """Words given to `parser.add_parser(word, ...)` or to the commands' own way of doing so."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr="add_parser"), args=[ast.Constant(word), *_]):
                yield str(word)
            case ast.Call(
                func=ast.Name("add_command" | "add_noun"), args=[_, ast.Constant(word), *_]
            ):
                yield str(word)


def code_in(text: str) -> Iterator[Code]:
    """Fenced blocks and code spans."""
    for match in _FENCE.finditer(text):
        yield Code(match.group(1), text.count("\n", 0, match.start(1)) + 1)
    for match in _SPAN.finditer(_without_fences(text)):
        yield Code(match.group(1), text.count("\n", 0, match.start()) + 1)


def _without_fences(text: str) -> str:
    """The text with blocks blanked out, every line still where it was."""
    return _FENCE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def prose_of(text: str) -> str:
    """The text with all code blanked out, every line still where it was."""
    return _SPAN.sub(lambda match: " " * len(match.group()), _without_fences(text))


def broken_links(text: str, path: str, repository: Repository) -> Iterator[Finding]:
    """Relative links to files or headings that do not exist."""
    for match in _LINK.finditer(prose_of(text)):
        target, _, anchor = match.group(1).partition("#")
        line = text.count("\n", 0, match.start()) + 1
        if re.match(r"[a-z]+:", target):
            continue
        file = (repository.root / path).parent / target if target else repository.root / path
        if not file.exists():
            yield Finding(path, line, f"links to {target}, which does not exist")
        elif anchor and file.suffix == ".md" and anchor not in _anchors(file):
            yield Finding(path, line, f"links to #{anchor}, a heading that does not exist")


def _anchors(file: Path) -> set[str]:
    headings = re.findall(r"^#+ +(.+)$", file.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def missing_files(text: str, path: str, repository: Repository) -> Iterator[Finding]:
    """Paths in code that begin with a folder of ours and lead nowhere."""
    for code in code_in(text):
        for word in re.findall(r"[\w.*/<>-]+", code.text):
            if _is_our_path(word) and not _exists(word, repository.root):
                yield Finding(path, code.line, f"names {word}, which does not exist")


def _is_our_path(word: str) -> bool:
    first, slash, rest = word.partition("/")
    return bool(slash and rest and first in _TOP_LEVEL and "<" not in word)


def _exists(word: str, root: Path) -> bool:
    word = word.rstrip(".")
    if _MADE.fullmatch(word):
        return True
    return any(root.glob(word)) if "*" in word else (root / word).exists()


def missing_targets(text: str, path: str, repository: Repository) -> Iterator[Finding]:
    """`make X` where the Makefile has no X."""
    for code in code_in(text):
        for match in _MAKE.finditer(code.text):
            if match.group(2) not in repository.targets:
                yield Finding(path, code.line, f"says make {match.group(2)}, which is no target")


def missing_commands(text: str, path: str, repository: Repository) -> Iterator[Finding]:
    """`terminalctl X` where the command line has no X; `python -m X` where there is no X."""
    for code in code_in(text):
        for match in _COMMAND.finditer(code.text):
            if repository.commands and match.group(2) not in repository.commands:
                yield Finding(path, code.line, f"says terminalctl {match.group(2)}, no command")
        for module in _MODULE.findall(code.text):
            if not _is_module(repository.root / module.rstrip(".").replace(".", "/")):
                yield Finding(path, code.line, f"says python -m {module}, which does not exist")


def _is_module(path: Path) -> bool:
    return path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def docstrings_of(source: str) -> str:
    """The source with all but its docstrings blanked out, every line still where it was."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return ""  # the rules of the house say so
    lines = [""] * len(source.splitlines())
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str(), lineno=first, end_lineno=last)):
                lines[first - 1 : last] = source.splitlines()[first - 1 : last]
    return "\n".join(lines)


def missing_in_prose(text: str, path: str, repository: Repository) -> Iterator[Finding]:
    """Files that a docstring names without marking them as code."""
    prose = prose_of(text)
    for match in _FILE_IN_PROSE.finditer(prose):
        if not _exists(match.group(), repository.root):
            line = prose.count("\n", 0, match.start()) + 1
            yield Finding(path, line, f"names {match.group()}, which does not exist")


def missing_names(text: str, path: str, repository: Repository) -> Iterator[Finding]:
    """Modules of ours, and what is in them, that a docstring names and nobody wrote."""
    for match in _NAME.finditer(text):
        name = match.group()
        if not _FILE_NAME.fullmatch(name) and not _is_name(name.split("."), repository.root):
            line = text.count("\n", 0, match.start()) + 1
            yield Finding(path, line, f"names {name}, which does not exist")


def _is_name(parts: Sequence[str], root: Path) -> bool:
    """Whether the parts lead to a module, or to a word in the first module on the way."""
    package = root / parts[0]
    if len(parts) == 1:
        return package.is_dir()
    for count in range(2, len(parts) + 1):
        path = root.joinpath(*parts[:count])
        if path.with_suffix(".py").is_file():
            return count == len(parts) or _says(path.with_suffix(".py"), parts[count])
        if not path.is_dir():
            return count > 2 and _says(path.parent / "__init__.py", parts[count - 1])
    return True


def _says(module: Path, word: str) -> bool:
    return re.search(rf"\b{word}\b", module.read_text(encoding="utf-8")) is not None


def wrong_words(text: str, path: str, first_line: int = 1) -> Iterator[Finding]:
    """Words that the standards have better ones for, as whole words, in any case."""
    for word in NOT_OUR_WORDS:
        for match in re.finditer(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text, re.I):
            line = first_line + text.count("\n", 0, match.start())
            yield Finding(path, line, f"says '{match.group()}': see the words of ISO/IEC 2382-37")


def wrong_words_in_docstrings(source: str, path: str) -> Iterator[Finding]:
    """The same in the docstrings of what is public, and of the module."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return  # the rules of the house say so
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node, clean=False)
            if text and not getattr(node, "name", "").startswith("_"):
                yield from wrong_words(prose_of(text), path, getattr(node, "lineno", 1))


def traces_of_a_machine(text: str, path: str) -> Iterator[Finding]:
    """Paths of one computer and hosts of a package index."""
    pattern = rf"(?<![\w.$}}])(?:{'|'.join(MACHINE_PATHS)})|{'|'.join(INDEX_HOSTS)}"
    for match in re.finditer(pattern, text):
        line = text.count("\n", 0, match.start()) + 1
        yield Finding(path, line, f"names {match.group()}, which only this machine or network has")


def tracked_files(root: Path) -> list[Path]:
    """Every file of the repository, or what would be committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit("The docs are checked in a git checkout: install git, clone.") from error
    return sorted(root / name for name in set(done.stdout.split("\0")) if name)


def findings_in(root: Path, files: Sequence[Path]) -> Iterator[Finding]:
    """Everything there is to say about `files`, which lie under `root`."""
    repository = read_repository(root)
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        path = file.relative_to(root).as_posix()
        yield from traces_of_a_machine(text, path)
        if file.suffix == ".md":
            yield from wrong_words(prose_of(text), path)
            for look in (broken_links, missing_files, missing_targets, missing_commands):
                yield from look(text, path, repository)
        if file.suffix == ".py":
            said = docstrings_of(text)
            for look in (missing_files, missing_in_prose, missing_names):
                yield from look(said, path, repository)
            for look in (missing_targets, missing_commands):
                yield from look(said, path, repository)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the findings; 1 if there are any."""
    findings = list(findings_in(ROOT, tracked_files(ROOT)))
    for path in product_files(ROOT):
        source = path.read_text(encoding="utf-8")
        findings += wrong_words_in_docstrings(source, path.relative_to(ROOT).as_posix())
    print("\n".join(map(str, findings)) or "The docs hold.")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
