"""Whether the personal fields beside the log are those whose hashes its events hold."""

import json
from collections.abc import Iterator

from tasks.ledger import salted_hash
from tasks.store.audit import page_personal_fields
from tasks.store.connection import Connection


def verify_personal_fields(connection: Connection) -> list[str]:
    """Return which personal fields beside the log are not those whose hashes it holds."""
    return list(_wrong_personal_fields(connection))


def _wrong_personal_fields(connection: Connection) -> Iterator[str]:
    before = None
    for page in page_personal_fields(connection):
        for row in page.iter_rows(named=True):
            name = row["sequence"], row["field"]
            if name == before:
                yield f"event {row['sequence']}: its personal field {row['field']} stands twice"
            before = name
            if _stated_hash(row["payload"], row["field"]) != salted_hash(row["salt"], row["value"]):
                yield f"event {row['sequence']}: its personal field {row['field']} was changed or added"


def _stated_hash(payload: str | None, field_name: str) -> str | None:
    try:
        stated = json.loads(payload or "{}")
    except ValueError:
        return None
    return stated.get(f"{field_name}_hash") if isinstance(stated, dict) else None
