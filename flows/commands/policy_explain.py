"""`relance policy explain`: a policy in plain sentences, with a picture of its ladders. Changes nothing."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from flows.commands.options import DEFAULT_WORKSPACE, AsOf, Workspace


def explain(
    policy: Path | None = None,
    /,
    *,
    as_of: AsOf = None,
    language: Annotated[
        Literal["fr", "en"] | None, Parameter(help="The language; the creditor's if left out.")
    ] = None,
    format: Annotated[
        Literal["text", "markdown", "html"], Parameter(help="For a terminal, a document or a browser.")
    ] = "text",
    output: Annotated[Path | None, Parameter(help="Write to this file instead.")] = None,
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Tell a policy in plain sentences: whom we contact, when and how, what we claim, and what we never do.

    Args:
        policy: a policy file; left out = the one that creditor.yaml names.
        as_of: the date whose interest rates are told.
        language: of the sentences.
        format: text, markdown or html.
        output: a file.
        workspace: the creditor's folder.
    """
    from flows.commands.reading import resolve_day
    from policies.errors import WrongUseError
    from tasks.policy_page import explain_policy
    from tasks.workspace import open_workspace

    page = explain_policy(open_workspace(workspace), policy, resolve_day(workspace, as_of), language, format)
    if output is None:
        print(page, end="")
        return
    try:
        output.write_text(page, encoding="utf-8")
    except OSError as error:
        raise WrongUseError(
            f"{output} cannot be written: {error.strerror}. Name another with --output."
        ) from error
