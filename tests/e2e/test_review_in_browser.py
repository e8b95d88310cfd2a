"""A person opens the suspended run in the Prefect UI, fills in the form, and the batch leaves."""

import os
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select

from tasks.workspace import Workspace
from tests.e2e.real_prefect import Prefect, browser, server_and_worker, wait_for
from tests.waiting_company import DAY, NOTICES, company, events, relance_under_prefect, statuses


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: RELANCE_PICTURES keeps them for whoever wants to look."""
    folder = Path(os.environ.get("RELANCE_PICTURES") or tmp_path_factory.mktemp("pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.browser
def test_a_batch_is_approved_in_the_browser_and_leaves(tmp_path: Path, pictures: Path) -> None:
    workspace = company(tmp_path / "acme")
    (tmp_path / "prefect").mkdir()
    with server_and_worker(tmp_path / "prefect") as prefect, browser(tmp_path / "profile") as page:
        prefect.deploy(workspace, "-acme")
        ran = relance_under_prefect(workspace, prefect.api, "run", "--as-of", DAY)
        assert ran.returncode == 5, ran.stderr

        run = suspended(prefect)
        show_artifact(page, prefect, run, pictures)
        fill_in(page, prefect, run, pictures / "1-form.png", decision="reject", who="Claire Fontanel")
        again = wait_for(lambda: form_saying(page, prefect, run, "Give the reason"), "the form once more")
        assert "Give the reason: it stands in the log." in again.text
        page.save_screenshot(str(pictures / "2-asked-again.png"))
        assert statuses(workspace) == dict.fromkeys(("C1", "C2", "C3", "C5"), "composed")

        fill_in(
            page,
            prefect,
            run,
            pictures / "3-form-filled-in.png",
            decision="approve",
            who="Claire Fontanel",
            without="C2",
            reason="in talks with the customer",
        )
        wait_for(lambda: state_of(prefect, run) == "Completed", "the end of the run", 180)
        page.get(f"{prefect.url}/runs/flow-run/{run}")
        wait_for(lambda: "Completed" in page.find_element(By.TAG_NAME, "body").text, "the page of the end")
        page.save_screenshot(str(pictures / "4-run-finished.png"))

    assert_left(workspace)


def assert_left(workspace: Workspace) -> None:
    assert statuses(workspace) == {
        "C1": "dispatched",
        "C2": "withdrawn",
        "C3": "dispatched",
        "C5": "dispatched",
    }
    (approved,) = events(workspace, "batch_approved")
    assert (approved["claimed_by"], approved["channel"], approved["actor"]) == (
        "Claire Fontanel",
        "ui",
        "Claire Fontanel",
    )
    assert {event["why"] for event in events(workspace, "action_withdrawn")} == {
        "left out by Claire Fontanel: in talks with the customer"
    }
    assert [event["messages"] for event in events(workspace, "batch_released")][-1] == 3


def suspended(prefect: Prefect) -> str:
    def found() -> list[dict[str, Any]]:
        return [run for run in prefect.runs_of("review") if run["state_name"] == "Suspended"]

    (run,) = wait_for(found, "a suspended review")
    assert run["parameters"]["batch_id"] == NOTICES
    return str(run["id"])


def state_of(prefect: Prefect, run: str) -> str:
    return str(next(one["state_name"] for one in prefect.runs_of("review") if one["id"] == run))


def show_artifact(page: Chrome, prefect: Prefect, run: str, pictures: Path) -> None:
    found = prefect.ask("/artifacts/filter", artifacts={"flow_run_id": {"any_": [run]}})
    page.get(f"{prefect.url}/artifacts/artifact/{found[0]['id']}")
    body = page.find_element(By.TAG_NAME, "body")
    wait_for(lambda: "What would leave" in body.text, "the artifact")
    assert "2800.00" in body.text
    assert "MISE EN DEMEURE" in body.text
    page.save_screenshot(str(pictures / "0-artifact.png"))


def open_form(page: Chrome, prefect: Prefect, run: str) -> WebElement:
    page.get(f"{prefect.url}/runs/flow-run/{run}")

    def resume() -> list[WebElement]:
        return [one for one in page.find_elements(By.TAG_NAME, "button") if one.text.strip() == "Resume"]

    wait_for(resume, "the button Resume")[0].click()

    def fields() -> list[WebElement]:
        return page.find_elements(By.CSS_SELECTOR, ".p-modal textarea")

    wait_for(fields, "the fields of the form")
    return page.find_element(By.CSS_SELECTOR, ".p-modal")


def form_saying(page: Chrome, prefect: Prefect, run: str, words: str) -> WebElement | None:
    if state_of(prefect, run) != "Suspended":
        return None
    form = open_form(page, prefect, run)
    return form if words in form.text else None


def fill_in(
    page: Chrome,
    prefect: Prefect,
    run: str,
    picture: Path,
    *,
    decision: str,
    who: str,
    without: str = "",
    reason: str = "",
) -> None:
    form = open_form(page, prefect, run)
    names, left_out, why = form.find_elements(By.TAG_NAME, "textarea")
    for field, text in ((names, who), (left_out, without), (why, reason)):
        field.send_keys(text)
    Select(form.find_element(By.TAG_NAME, "select")).select_by_visible_text(decision)
    page.save_screenshot(str(picture))
    next(one for one in form.find_elements(By.TAG_NAME, "button") if one.text.strip() == "Submit").click()
    wait_for(lambda: state_of(prefect, run) != "Suspended", "the run resumed")
