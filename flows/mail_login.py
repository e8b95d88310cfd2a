"""The login to the mail server where a Prefect block holds it; without a block it comes from the environment."""

from typing import cast

from flows import engine
from policies.creditor import Creditor
from policies.errors import WrongUseError
from tasks.dispatch.smtp_server import Login


def read_login(creditor: Creditor) -> Login | None:
    """Return what the block named in `creditor.yaml` holds, nothing when none is named.

    Raises:
        WrongUseError: there is no such block, or no Prefect server to ask for it.
    """
    name = creditor.smtp.login_block if creditor.smtp else None
    if name is None:
        return None
    where = "creditor.yaml: smtp.login_block"
    if engine.is_plain():
        raise WrongUseError(
            f"{where}: the block {name} is kept by a Prefect server, and PREFECT_API_URL names none. "
            "Set it, or use username_env and password_env instead."
        )
    from flows.smtp_login_block import SmtpLogin

    try:
        block = cast("SmtpLogin", SmtpLogin.load(name))
    except ValueError as error:
        raise WrongUseError(
            f"{where}: the Prefect server has no block {name} of the type SMTP login. docs/operations.md says how to "
            "make one."
        ) from error
    return Login(block.username.get_secret_value(), block.password.get_secret_value())
