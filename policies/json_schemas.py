"""The JSON Schema of each YAML file that people write, made from its model, so that editors help while one types.

A schema refuses no value that the strict reader accepts; what ties keys together is told by `relance policy check`.
What a key means is taken from where it is documented (`policies.schema_help`), else from its model.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from policies.creditor import Creditor
from policies.giving_up import RecoveryOdds
from policies.policy_cases import CaseFile
from policies.policy_keys import Policy
from policies.provisions import LossRates
from policies.rates import RateTable
from policies.return_phrases import ReturnPhrases
from policies.schema_help import Meaning
from policies.sources import Declaration
from policies.statutes import Statute

MODELS: dict[str, type[BaseModel]] = {
    "policy": Policy,
    "policy_cases": CaseFile,
    "source": Declaration,
    "statute": Statute,
    "rates": RateTable,
    "recovery_odds": RecoveryOdds,
    "loss_rates": LossRates,
    "return_phrases": ReturnPhrases,
    "creditor": Creditor,
}
"""The kinds of YAML files, by the name of their schema."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DECIMAL_TEXT = r"^\s*[-+]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)([eE][-+]?\d+)?\s*$"
_WHOLE_TEXT = r"^\s*[-+]?\d[\d_]*(\.0+)?\s*$"
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}

Schema = dict[str, Any]


def build_schema(name: str, meanings: Mapping[str, Meaning]) -> Schema:
    """Return the JSON Schema of one kind of file.

    Args:
        name: one of `MODELS`.
        meanings: what its keys mean.
    """
    schema = MODELS[name].model_json_schema(schema_generator=_AsRead)
    for node in _nodes(schema):
        _tidy(node)
    _explain(schema, schema.get("$defs", {}), meanings, dict(_flat(meanings)))
    return {"$schema": _DIALECT, "title": f"Relance: {name.replace('_', ' ')}", **schema}


class _AsRead(GenerateJsonSchema):
    """Makes the schema of what the strict reader accepts: numbers may also stand in quotes, where they may there."""

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        """Return the schema of a whole number."""
        made = super().int_schema(schema)
        return made if schema.get("strict") else {"anyOf": [made, {"type": "string", "pattern": _WHOLE_TEXT}]}

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        """Return the schema of a decimal, which is never read as a float."""
        stated = {word: float(str(schema[key])) for key, word in _BOUNDS.items() if key in schema}  # type: ignore[literal-required]  # keys of the schema
        return {"anyOf": [{"type": "number", **stated}, {"type": "string", "pattern": _DECIMAL_TEXT}]}


def _nodes(value: object) -> Iterator[Schema]:
    """Yield every mapping inside a schema, itself first."""
    if isinstance(value, dict):
        yield value
        for inner in list(value.values()):
            yield from _nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)


def _tidy(node: Schema) -> None:
    """Take out what editors don't know or need; refuse the keys of a mapping that fit no pattern."""
    if isinstance(node.get("title"), str):
        del node["title"]
    if "patternProperties" in node:
        node["additionalProperties"] = False
    for key in ("max_digits", "decimal_places"):
        if isinstance(node.get(key), int):
            del node[key]
    for key, word in _BOUNDS.items():
        if isinstance(node.get(key), int):
            node["anyOf"][0][word] = node.pop(key)


def _explain(
    node: Schema, named: Mapping[str, Schema], meanings: Mapping[str, Meaning], every: Mapping[str, Meaning]
) -> None:
    """Say of each key what it means; of a key inside another by that one's own words, else by any of that name."""
    for key, inner in node.get("properties", {}).items():
        meaning = meanings.get(key) or every.get(key)
        if meaning is not None:
            inner["description"] = meaning.text
        for block in _blocks(inner, named):
            _explain(block, named, meaning.inner if meaning else {}, every)


def _blocks(node: Schema, named: Mapping[str, Schema]) -> Iterator[Schema]:
    """Yield the blocks of keys that a value may be made of."""
    for inner in _nodes(node):
        if isinstance(reference := inner.get("$ref"), str):
            yield named[reference.rpartition("/")[2]]


def _flat(meanings: Mapping[str, Meaning]) -> Iterator[tuple[str, Meaning]]:
    """Yield every key with its meaning; of several with one name the one that is least deep comes last and counts."""
    for meaning in reversed(list(meanings.values())):
        yield from _flat(meaning.inner)
    yield from meanings.items()
