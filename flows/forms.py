"""What the form of a deployment asks for: one plain text field each, where empty means left out.

Dates stay `date | None`: the form then offers a calendar, or none.
"""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, WithJsonSchema


def _left_out(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


_FIELD = (BeforeValidator(_left_out), WithJsonSchema({"type": "string"}))

Text = Annotated[str | None, *_FIELD]
# Typed as text, so that no browser rounds it.
Amount = Annotated[Decimal | Literal[""] | None, *_FIELD]
