"""The project as files, modules and imports: what the convention tests look at."""

import ast
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAYERS = ("policies", "tasks", "flows")
"""From the inside out: each may import those before it, never those after it."""


@dataclass(frozen=True)
class Import:
    """One imported module or name, and where."""

    importer: str
    target: str
    line: int

    def __str__(self) -> str:
        """Return the import as an editor can open it."""
        return f"{self.importer}:{self.line} imports {self.target}"


@cache
def project_files() -> tuple[Path, ...]:
    """Every file of the project, committed or about to be; what .gitignore names is none."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return tuple(sorted({path for path in paths if path.is_file()}))


def files_named(pattern: str, *folders: str) -> list[Path]:
    """The project's files whose name fits a pattern, in any of the folders; without folders, anywhere."""
    return [
        path for path in project_files()
        if path.match(pattern) and (not folders or path.relative_to(ROOT).parts[0] in folders)
    ]  # fmt: skip


def shown(path: Path) -> str:
    """A path as people name it, from the root of the project."""
    return path.relative_to(ROOT).as_posix()


def text_of(name: str) -> str:
    """The text of a file by its path from the root; empty while there is none (see test_parts_are_there)."""
    path = ROOT / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


def module_name(path: Path) -> str:
    """The dotted name of a Python file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def syntax_tree(path: Path) -> ast.Module:
    """A Python file, parsed."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=shown(path))


def production_files() -> list[Path]:
    """The Python files that run at a creditor's."""
    return files_named("*.py", *LAYERS)


def imports_of(path: Path) -> list[Import]:
    """All imports of a file, inside functions too; `from a import b` is `a.b` where that is a module."""
    found = []
    for node in ast.walk(syntax_tree(path)):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise AssertionError(f"{shown(path)}:{node.lineno}: relative import; name the module in full")
            found += [(_imported(node.module or "", alias.name), node.lineno) for alias in node.names]
    return [Import(shown(path), target, line) for target, line in found]


def _imported(module: str, name: str) -> str:
    candidate = ROOT.joinpath(*module.split("."), name)
    return f"{module}.{name}" if candidate.is_dir() or candidate.with_suffix(".py").exists() else module


def all_imports(*folders: str) -> list[Import]:
    """All imports of all Python files in these folders."""
    return list(chain.from_iterable(imports_of(path) for path in files_named("*.py", *folders)))


def is_standard(module: str) -> bool:
    """Whether a module comes with Python."""
    return module.partition(".")[0] in sys.stdlib_module_names


def calls_of(path: Path) -> list[tuple[str, int]]:
    """What a file calls, as written (`datetime.now`, `open`, `.read_text`), with the line."""
    nodes = (node for node in ast.walk(syntax_tree(path)) if isinstance(node, ast.Call))
    return [(_callee(node.func), node.lineno) for node in nodes]


def _callee(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return f"{owner}.{name}"
        case ast.Attribute(attr=name):
            return f".{name}"
        case _:
            return ""
