"""Names, sizes and reasons: what keeps the code easy to walk through."""

import ast
import re

from tests.conventions.source_tree import files_named, project_files, shown, syntax_tree

MAXIMUM_LINES = 400
NAMES_THAT_SAY_NOTHING = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "manager",
    "service",
    "processor",
}
SHORTEST_SENTENCE = 3

EXEMPTION = re.compile(
    r"#\s*(noqa\b|type:\s*ignore|pragma:\s*no cover)(:?\s*[A-Z]+[0-9]+(,\s*[A-Z]+[0-9]+)*|\[[\w, -]+\])?"
)


def test_no_module_grows_beyond_what_is_read_in_one_go() -> None:
    lengths = {
        shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files_named("*.py")
    }
    assert {name: lines for name, lines in lengths.items() if lines > MAXIMUM_LINES} == {}


def test_every_file_and_folder_is_named_for_an_idea() -> None:
    wrong = [
        shown(path) for path in project_files()
        if {part.partition(".")[0].lower() for part in shown(path).split("/")} & NAMES_THAT_SAY_NOTHING
    ]  # fmt: skip
    assert wrong == []


def test_every_exemption_gives_its_reason() -> None:
    """A reason stands behind the mark on the same line, or as a comment on the line above."""
    wrong = []
    for path in files_named("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, start=1):
            mark = EXEMPTION.search(line)
            if mark is None or shown(path) == "tests/conventions/test_files.py":
                continue
            behind = re.sub(r"[\W_]+", "", EXEMPTION.sub("", line[mark.start() :]))
            above = lines[number - 2].strip() if number > 1 else ""
            if not behind and not above.startswith("#"):
                wrong.append(f"{shown(path)}:{number}: {line[mark.start() :]}")
    assert wrong == []


def test_every_test_is_named_by_a_sentence() -> None:
    wrong = [
        f"{shown(path)}:{node.lineno}: {node.name}"
        for path in files_named("test_*.py", "tests")
        for node in ast.walk(syntax_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.name.startswith("test_") and node.name.count("_") < SHORTEST_SENTENCE
    ]
    assert wrong == []


def test_every_module_says_what_it_is() -> None:
    missing = [shown(path) for path in files_named("*.py") if not ast.get_docstring(syntax_tree(path))]
    assert missing == []
