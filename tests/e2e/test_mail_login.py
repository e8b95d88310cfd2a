"""The login to the mail server comes from a block of a real Prefect server, and is shown to nobody."""

import pytest

from flows import engine
from flows.mail_login import read_login
from policies.creditor import Creditor, parse
from policies.errors import WrongUseError
from tasks.dispatch.smtp_server import Login
from tests.conventions.source_tree import text_of


def creditor(mail: str) -> Creditor:
    return parse(text_of("policies/creditor_example.yaml") + f"\n{mail}\n")


@pytest.mark.prefect
def test_a_block_that_is_named_holds_the_login(prefect_server: None, monkeypatch: pytest.MonkeyPatch) -> None:
    # Another test of this process may have chosen the plain way.
    monkeypatch.setitem(engine._choice, "plain", False)
    from flows.smtp_login_block import SmtpLogin

    SmtpLogin(username="relance", password="s3cret").save("relance-smtp", overwrite=True)
    login = read_login(creditor("smtp: {host: mail.example.com, login_block: relance-smtp}"))
    assert login == Login("relance", "s3cret")
    assert "s3cret" not in repr(login)
    with pytest.raises(WrongUseError, match="has no block another of the type SMTP login"):
        read_login(creditor("smtp: {host: mail.example.com, login_block: another}"))


def test_without_a_block_nobody_is_asked() -> None:
    assert read_login(creditor("smtp: {host: mail.example.com}")) is None
    assert read_login(creditor("maildir: outgoing")) is None
