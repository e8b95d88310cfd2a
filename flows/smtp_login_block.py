"""The Prefect block that holds the login to a mail server: `prefect block register -m flows.smtp_login_block`.

Imported only when `creditor.yaml` names such a block, because it imports Prefect.
"""

from prefect.blocks.core import Block
from pydantic import Field, SecretStr


class SmtpLogin(Block):
    """Who signs in at the mail server; both fields are kept encrypted and shown to nobody."""

    _block_type_name = "SMTP login"
    _block_type_slug = "smtp-login"
    _description = "The login to the mail server that sends reminders."

    username: SecretStr = Field(title="User name", description="As the mail server knows us.")
    password: SecretStr = Field(title="Password", description="Of this user.")
