"""Options that commands share, named as people type them."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

Workspace = Annotated[
    Path,
    Parameter(name="--workspace", env_var="RELANCE_HOME", help="The creditor's folder.", show_default=True),
]
AsOf = Annotated[
    date | None, Parameter(name="--as-of", help="The business date (YYYY-MM-DD); today if left out.")
]
Format = Annotated[
    Literal["table", "csv", "json", "parquet"], Parameter(name="--format", help="How the answer is printed.")
]
DEFAULT_WORKSPACE = Path("workspace")
