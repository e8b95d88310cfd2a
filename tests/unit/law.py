"""The shipped statutes and rates, read once for the tests of the law."""

from pathlib import Path

import policies
from policies.rates import RateTable, load_rates
from policies.statutes import Statute, load_statute

SHIPPED = Path(policies.__file__).parent


def shipped_rates() -> dict[str, RateTable]:
    return {
        path.stem: load_rates(path.read_text("utf-8"), path.name)
        for path in (SHIPPED / "rates").glob("*.yaml")
    }


def shipped_statutes() -> dict[str, Statute]:
    files = (SHIPPED / "statutes").glob("*.yaml")
    return {path.stem: load_statute(path.read_text("utf-8"), path.name) for path in files}


RATES = shipped_rates()
STATUTES = shipped_statutes()
