"""Reads the rules in force in a workspace: the policy, the statutes and the rates, own files before shipped ones."""

from dataclasses import dataclass
from pathlib import Path

from policies.creditor import Creditor
from policies.policy import Policy, content_hash, load_policy
from policies.rates import load_rates
from policies.statutes import Law, load_statute
from tasks.workspace import (
    Workspace,
    find_policy,
    find_policy_file,
    list_files,
    read_creditor,
    read_named_file,
)


@dataclass(frozen=True)
class Rules:
    """The creditor and the policy it names, with the hash of the policy's text."""

    creditor: Creditor
    policy: Policy
    policy_hash: str
    policy_file: str


def read_rules(workspace: Workspace, policy_file: Path | None = None) -> Rules:
    """Return the rules of the workspace; `policy_file` stands in for the policy that creditor.yaml names."""
    creditor = read_creditor(workspace)
    path = (
        find_policy_file(workspace.root, policy_file)
        if policy_file
        else find_policy(workspace, creditor.policy)
    )
    text = read_named_file(path)
    return Rules(creditor, load_policy(text, path.name), content_hash(text), path.name)


def read_law(workspace: Workspace) -> Law:
    """Return all statutes and rate series known to the workspace."""
    statutes = [
        load_statute(path.read_text(encoding="utf-8"), path.name)
        for path in list_files(workspace, "policies/statutes", "*.yaml")
    ]
    rates = [
        load_rates(path.read_text(encoding="utf-8"), path.name)
        for path in list_files(workspace, "policies/rates", "*.yaml")
    ]
    return Law({statute.statute: statute for statute in statutes}, {table.rate: table for table in rates})
