"""Makes the JSON Schemas of the YAML files that people write, with the words of their documentation.

The schemas themselves are built in `policies.json_schemas`; those in `policies/schemas/` are these, as files.
"""

import json
from collections.abc import Callable, Mapping

from policies.errors import WrongUseError
from policies.json_schemas import MODELS, build_schema
from policies.schema_help import Meaning, read_comments, read_headings, read_tables
from policies.yaml_wording import did_you_mean
from tasks.workspace import shipped_root

FOLDER = "policies/schemas"

_HELP: dict[str, tuple[str, Callable[[str], Mapping[str, Meaning]]]] = {
    "policy": ("policies/README.md", read_headings),
    "source": ("docs/source-declarations.md", read_tables),
    "creditor": ("policies/creditor_example.yaml", read_comments),
}
"""Where the keys of a file are explained, and how it is read."""


def list_schemas() -> list[str]:
    """Return the names of the schemas there are."""
    return list(MODELS)


def make_schema(name: str) -> str:
    """Return one schema as the text of a JSON file."""
    if name not in MODELS:
        raise WrongUseError(
            f"there is no schema '{name}'{did_you_mean(name, MODELS)} Name one of {', '.join(MODELS)}."
        )
    return json.dumps(build_schema(name, _read_help(name)), indent=2, ensure_ascii=False) + "\n"


def _read_help(name: str) -> Mapping[str, Meaning]:
    if name not in _HELP:
        return {}
    file, read = _HELP[name]
    path = shipped_root() / file
    # The folder docs/ is not part of an installed package; its schema then explains less.
    return read(path.read_text(encoding="utf-8")) if path.is_file() else {}
