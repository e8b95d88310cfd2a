"""Plays the sample company: its plan names the days, what arrives, and what people decide and record."""

import shutil
import time
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from flows.approval import approve, reject
from flows.daily import daily
from flows.demo_report import Played, report
from flows.record import record_rows
from flows.release import release
from flows.start import begin
from flows.summary import RunSummary
from policies.errors import WrongUseError
from policies.explanations import counted
from policies.strict_yaml import load
from tasks.record import on_behalf_of
from tasks.store.sharing import share_openings
from tasks.workspace import initialise, open_workspace, shipped_root

_MARK = ".relance-demo"


def sample_company() -> Path:
    """Return the folder of the sample company."""
    return shipped_root() / "tests" / "data" / "sample_company"


def play(directory: Path) -> Played:
    """Play the whole plan in a new workspace and print what was done."""
    company, started = sample_company(), time.monotonic()
    plan: Any = load((company / "plan.yaml").read_text(encoding="utf-8"), "plan.yaml")
    workspace = _prepare(directory, company, plan)
    played = Played(workspace)
    with share_openings(open_workspace(workspace)):
        _play_days(company, workspace, plan, played)
    played.seconds = time.monotonic() - started
    report(played)
    return played


def _play_days(company: Path, workspace: Path, plan: Mapping[str, Any], played: Played) -> None:
    for day in plan["days"]:
        print(f"\n{day['date']}  {day['story']}")
        _drop(company, workspace, day)
        summary = daily(workspace=workspace, as_of=day["date"])
        played.days.append(summary)
        _tell_day(summary)
        for is_record, deeds in groupby(day.get("then", []), lambda deed: "record" in deed):
            if is_record:
                _record(workspace, day["date"], list(deeds), played)
                continue
            for deed in deeds:
                _do(workspace, day["date"], deed, played)


def _prepare(directory: Path, company: Path, plan: Mapping[str, Any]) -> Path:
    if directory.exists():
        if not (directory / _MARK).exists() and any(directory.iterdir()):
            raise WrongUseError(
                f"{directory} is no folder of an earlier demo, it was not touched. Name another with --directory."
            )
        shutil.rmtree(directory)
    workspace = initialise(directory).root
    (workspace / _MARK).touch()
    shutil.copy(company / "creditor.yaml", workspace / "creditor.yaml")
    shutil.copytree(company / plan["documents"], workspace / "inbox" / "documents", dirs_exist_ok=True)
    shutil.copytree(company / plan["policies"], workspace / "policies", dirs_exist_ok=True)
    return workspace


def _drop(company: Path, workspace: Path, day: Mapping[str, Any]) -> None:
    if "drop" in day:
        for file in sorted((company / day["drop"]).iterdir()):
            shutil.copy(file, workspace / "inbox" / file.name)


def _do(workspace: Path, as_of: date, deed: Mapping[str, Any], played: Played) -> None:
    """Do what a person does after the run of a day."""
    if "approve" in deed:
        approve(batch_id=deed["approve"], by=deed["by"], workspace=workspace, as_of=as_of)
        played.approved += 1
        print(f"  person  {deed['by']} approves {deed['approve']}")
    elif "reject" in deed:
        reject(
            batch_id=deed["reject"],
            by=deed["by"],
            why=deed["why"],
            until=deed["until"],
            workspace=workspace,
            as_of=as_of,
        )
        played.rejected += 1
        print(f"  person  {deed['by']} rejects {deed['reject']}")
    elif "release" in deed:
        summary = release(workspace=workspace, as_of=as_of)
        played.releases.append(summary)
        _tell_released(summary)
    else:
        raise ValueError(f"plan.yaml: nobody knows how to do {dict(deed)}")


def _record(workspace: Path, as_of: date, deeds: Sequence[Mapping[str, Any]], played: Played) -> None:
    """Record what people said that day, each under their own name."""
    stated = [{name: str(value) for name, value in deed["record"].items()} for deed in deeds]
    for actor, rows in groupby(stated, lambda row: row.get("actor")):
        told = list(rows)
        record_rows(on_behalf_of(begin(workspace, as_of), actor), told)
        played.recorded += len(told)


def _tell_day(summary: RunSummary) -> None:
    for one in summary.refused:
        print(f"  refused {one.file}: {one.message}")
    loaded = [one.file for one in summary.files if one.status.value == "loaded"]
    if loaded:
        print(f"  in      {', '.join(loaded)}")
    if summary.decided:
        acting = ", ".join(f"{step} {count}" for step, count in summary.decided.steps.items())
        print(
            f"  decided {sum(summary.decided.steps.values())} act ({acting or 'none'}), "
            f"{sum(summary.decided.reasons.values())} held"
        )
    _tell_released(summary)
    for batch in summary.waiting:
        print(f"  waits   {batch}")


def _tell_released(summary: RunSummary) -> None:
    for one in summary.released:
        print(
            f"  out     {one.batch_id}: {counted(one.counts.dispatched if one.counts else 0, 'message')} left"
        )
        for why in one.withdrawn:
            print(f"  out     {one.batch_id}: withdrawn, {why}")
