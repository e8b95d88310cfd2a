"""Chooses how e-mail leaves: to the mail server or into the Maildir of `creditor.yaml`, else it stays in the outbox."""

import os

from policies.creditor import Creditor, Smtp
from policies.errors import WrongUseError
from tasks.dispatch.maildir import MaildirTransport
from tasks.dispatch.release import OutboxTransport, Transport
from tasks.dispatch.smtp import SmtpTransport
from tasks.dispatch.smtp_server import Login, PhaseSeconds, SmtpServer
from tasks.workspace import Workspace

_KILOBYTE = 1000


def choose_transport(workspace: Workspace, creditor: Creditor, login: Login | None = None) -> Transport:
    """Return how e-mail leaves.

    Args:
        workspace: paths of `creditor.yaml` are relative to it.
        creditor: names the mail server or the Maildir.
        login: to the mail server, where a Prefect block holds it.

    Raises:
        WrongUseError: the login is not where `creditor.yaml` says.
    """
    if creditor.maildir:
        return MaildirTransport(workspace.root / creditor.maildir)
    if creditor.smtp is None:
        return OutboxTransport()
    return SmtpTransport(_server(workspace, creditor.smtp, login))


def _server(workspace: Workspace, smtp: Smtp, login: Login | None) -> SmtpServer:
    limit, patience = smtp.maximum_message_kilobytes, smtp.timeout_seconds
    return SmtpServer(
        host=smtp.host,
        port=smtp.port,
        security=smtp.security,
        login=_login(smtp, login),
        connections=smtp.connections,
        messages_per_minute=smtp.messages_per_minute,
        messages_per_minute_per_domain=smtp.messages_per_minute_per_domain,
        maximum_message_bytes=limit * _KILOBYTE if limit else None,
        retry_for_seconds=smtp.retry_for_seconds,
        timeouts=PhaseSeconds(patience.connect, patience.command, patience.data, patience.answer),
        certificate_file=str(workspace.root / smtp.certificate_file) if smtp.certificate_file else None,
    )


def _login(smtp: Smtp, login: Login | None) -> Login | None:
    if smtp.login_block:
        if login is None:
            raise WrongUseError(
                f"creditor.yaml: smtp.login_block: nobody has read the block {smtp.login_block}."
            )
        return login
    if smtp.username_env is None:
        return None
    return Login(_secret(smtp.username_env), _secret(smtp.password_env) if smtp.password_env else "")


def _secret(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise WrongUseError(
            f"creditor.yaml: smtp: the environment has no {name}; set it, or take the key out."
        )
    return value
