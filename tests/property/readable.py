"""Writes rows and policies as YAML that a person would write: no anchors, amounts as plain text."""

from datetime import date

import yaml


class _Written(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        """Say everything twice that is said twice: policies are read without anchors."""
        return True


def as_yaml(value: object) -> str:
    """Return rows or keys as YAML, in their own order."""
    return yaml.dump(_plain(value), Dumper=_Written, sort_keys=False, allow_unicode=True, width=110)


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value if isinstance(value, bool | int | date | None) else str(value)
