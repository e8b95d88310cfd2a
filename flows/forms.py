"""What the form of a deployment asks for: one plain field for each parameter, where empty means left out."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema


def _left_out(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


Text = Annotated[str | None, BeforeValidator(_left_out), WithJsonSchema({"type": "string"})]
Day = Annotated[date | None, BeforeValidator(_left_out), WithJsonSchema({"type": "string", "format": "date"})]
# Typed as text, so that no browser rounds it.
Amount = Annotated[Decimal | None, BeforeValidator(_left_out), WithJsonSchema({"type": "string"})]
