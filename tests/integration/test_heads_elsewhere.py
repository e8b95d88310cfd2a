"""A log cut short everywhere is found where its head was kept elsewhere: a copy, or an RFC 3161 time stamp."""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from policies.errors import AuditBrokenError
from tasks.audit.verify import verify_log
from tasks.head_keeping import keep_heads
from tasks.publish import publish
from tasks.record import record_events
from tasks.run import Run
from tasks.workspace import Workspace, initialise

DAY = date(2026, 3, 2)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    clock = datetime(2026, 3, 2, 6, tzinfo=UTC)
    return Run(initialise(tmp_path / "company"), DAY, DAY, "run-1", "Anna", lambda: clock, lambda line: None)


def configure(workspace: Workspace, text: str) -> None:
    with workspace.creditor_path.open("a", encoding="utf-8") as file:
        file.write(f"\naudit:\n{text}")


def work(run: Run, customer: str) -> list[str]:
    record_events(run, [{"kind": "dispute", "customer_id": customer}])
    publish(run)
    return keep_heads(run)


def cut_back(workspace: Workspace, earlier: Path) -> None:
    """Put the store and the published copy back to what they were, as whoever keeps old copies can."""
    shutil.rmtree(workspace.published)
    shutil.copytree(earlier / "published", workspace.published)
    shutil.copy(earlier / "relance.duckdb", workspace.store_path)


def test_a_log_cut_short_in_store_and_copy_alike_is_found_only_by_a_head_kept_elsewhere(
    run: Run, tmp_path: Path
) -> None:
    kept = tmp_path / "elsewhere" / "heads.jsonl"
    configure(run.workspace, f"  head_copies: ['{kept}']\n")
    assert work(run, "C1") == []
    shutil.copytree(run.workspace.root, tmp_path / "earlier")
    assert work(run, "C2") == []
    assert "heads kept elsewhere are in it" in verify_log(run.workspace)
    last = json.loads(kept.read_text(encoding="utf-8").splitlines()[-1])["sequence"]

    cut_back(run.workspace, tmp_path / "earlier")
    with pytest.raises(
        AuditBrokenError, match=rf"event {last} is missing: it was the last when .*heads\.jsonl was written"
    ):
        verify_log(run.workspace)
    moved = kept.rename(tmp_path / "moved.jsonl")
    assert verify_log(run.workspace).startswith("The log holds")
    with pytest.raises(AuditBrokenError, match=f"event {last} is missing"):
        verify_log(run.workspace, [moved])
    # Going on from there does not mend it: another event has that number now.
    work(run, "C3")
    work(run, "C4")
    with pytest.raises(AuditBrokenError, match=r"was replaced: .*moved\.jsonl states another hash"):
        verify_log(run.workspace, [moved])


def test_a_copy_is_added_to_and_never_rewritten_and_one_that_is_away_is_caught_up(
    run: Run, tmp_path: Path
) -> None:
    place = tmp_path / "disk"
    place.write_text("in the way", encoding="utf-8")
    configure(run.workspace, f"  head_copies: ['{place / 'heads.jsonl'}']\n")
    (trouble,) = work(run, "C1")
    assert "was not copied to" in trouble
    place.unlink()
    assert work(run, "C2") == []
    kept = place / "heads.jsonl"
    first = kept.read_bytes()
    assert first == (run.workspace.published / "audit" / "heads.jsonl").read_bytes()
    assert work(run, "C3") == []
    assert kept.read_bytes().startswith(first)
    kept.write_text("{", encoding="utf-8")
    with pytest.raises(AuditBrokenError, match="the heads kept there cannot be read"):
        verify_log(run.workspace)


def test_a_file_of_heads_that_is_not_there_is_told(run: Run, tmp_path: Path) -> None:
    work(run, "C1")
    with pytest.raises(AuditBrokenError, match="there is no such file of heads"):
        verify_log(run.workspace, [tmp_path / "nothing.jsonl"])


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


TSA = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[stamps]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
default_tsa = tsa_config
[tsa_config]
serial = serial
signer_cert = signer.pem
signer_key = signer.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_chain = no
"""


def make_authority(folder: Path) -> None:
    """Make a certificate authority and a time stamp authority under it."""
    folder.mkdir()
    (folder / "tsa.cnf").write_text(TSA, encoding="utf-8")
    (folder / "serial").write_text("01\n", encoding="utf-8")
    key = ["-newkey", "rsa:2048", "-nodes", "-config", "tsa.cnf"]
    openssl(
        folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem",
        "-days", "3650", "-subj", "/O=Test/CN=Test CA", "-extensions", "ca",
    )  # fmt: skip
    openssl(
        folder, "req", *key, "-keyout", "signer.key", "-out", "signer.csr", "-subj", "/O=Test/CN=Test TSA"
    )
    openssl(
        folder, "x509", "-req", "-in", "signer.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", "3650", "-out", "signer.pem", "-extfile", "tsa.cnf", "-extensions", "stamps",
    )  # fmt: skip


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A real time stamp authority: `openssl ts` behind a small HTTP server."""
    folder = tmp_path / "authority"
    make_authority(folder)

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            (folder / "query.tsq").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            openssl(
                folder, "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query.tsq", "-out", "reply.tsr"
            )
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write((folder / "reply.tsr").read_bytes())

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class names it
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}/tsr"
    server.shutdown()
    server.server_close()


def with_authority(run: Run, folder: Path, url: str) -> None:
    configure(
        run.workspace,
        f"  time_stamp_authority:\n    url: {url}\n    certificate_file: '{folder / 'ca.pem'}'\n",
    )


def tokens(workspace: Workspace) -> list[Path]:
    return sorted((workspace.published / "audit" / "timestamps").glob("*.tsr"))


def test_a_head_is_stamped_by_a_real_authority_and_its_token_proves_it(
    run: Run, authority: tuple[Path, str]
) -> None:
    folder, url = authority
    with_authority(run, folder, url)
    assert work(run, "C1") == []
    assert keep_heads(run) == []
    (token,) = tokens(run.workspace)
    assert verify_log(run.workspace).startswith("The log holds")
    head = json.loads((run.workspace.published / "audit" / "head.json").read_text(encoding="utf-8"))
    (folder / "head").write_text(head["hash"], encoding="utf-8")
    # As docs/audit-log.md says: without our code, too.
    openssl(folder, "ts", "-verify", "-data", "head", "-in", str(token), "-CAfile", "ca.pem")

    assert work(run, "C2") == []
    first, second = tokens(run.workspace)
    second.write_bytes(first.read_bytes())
    with pytest.raises(AuditBrokenError, match="it does not prove event"):
        verify_log(run.workspace)


def test_a_token_of_another_authority_is_refused(
    run: Run, authority: tuple[Path, str], tmp_path: Path
) -> None:
    _, url = authority
    make_authority(tmp_path / "other")
    with_authority(run, tmp_path / "other", url)
    (trouble,) = work(run, "C1")
    assert "is no proof" in trouble
    assert tokens(run.workspace) == []


def test_an_authority_that_is_away_does_not_stop_the_day_and_is_asked_again(
    run: Run, authority: tuple[Path, str]
) -> None:
    folder, url = authority
    told: list[str] = []
    run = replace(run, say=told.append)
    with_authority(run, folder, "http://127.0.0.1:9/tsr")
    (trouble,) = work(run, "C1")
    assert told == [trouble]
    assert "The next run tries again" in trouble
    text = run.workspace.creditor_path.read_text(encoding="utf-8")
    run.workspace.creditor_path.write_text(text.replace("http://127.0.0.1:9/tsr", url), encoding="utf-8")
    assert keep_heads(run) == []
    assert len(tokens(run.workspace)) == 1


def test_a_copy_that_knows_more_than_our_log_or_another_hash_is_told_and_left_as_it_is(
    run: Run, tmp_path: Path
) -> None:
    kept = tmp_path / "heads.jsonl"
    configure(run.workspace, f"  head_copies: ['{kept}']\n")
    assert work(run, "C1") == []
    last = json.loads(kept.read_text(encoding="utf-8").splitlines()[-1])["sequence"]
    for line, told in (
        ({"sequence": last + 900, "hash": "aa"}, f"it ends with event {last + 900}, and our log with"),
        ({"sequence": last, "hash": "zz"}, f"it states another hash for event {last}"),
    ):
        kept.write_text(json.dumps(line) + "\n", encoding="utf-8")
        [trouble] = keep_heads(run)
        assert told in trouble
        assert kept.read_text(encoding="utf-8") == json.dumps(line) + "\n"


def test_a_line_of_a_copy_that_was_cut_is_taken_off_and_the_copy_goes_on(run: Run, tmp_path: Path) -> None:
    kept = tmp_path / "heads.jsonl"
    configure(run.workspace, f"  head_copies: ['{kept}']\n")
    assert work(run, "C1") == []
    whole = kept.read_text(encoding="utf-8")
    line = whole.splitlines()[-1]
    for cut in ('{"seque', line[:-1], line):
        kept.write_text(whole + cut, encoding="utf-8")
        assert keep_heads(run) == []
        assert kept.read_text(encoding="utf-8") == whole
    kept.write_text('{"seque', encoding="utf-8")
    assert keep_heads(run) == []
    assert kept.read_text(encoding="utf-8") == whole
