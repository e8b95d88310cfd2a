"""The command line `relance`: what people type, and the exit code each kind of ending has.

Flows run plainly in this process, unless PREFECT_API_URL names a server; then they show up in its UI.
"""

import errno
import os
import sys
import traceback

from cyclopts import App, CycloptsError, Parameter

from flows import engine
from flows.wrong_words import refuse_odd_values, tell_wrong_words
from policies.errors import ExitCode, RelanceError

_DISK_ERRORS = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
}

app = App(
    name="relance",
    help="Collects trade receivables: from accounting exports to reminders, each decision explained and logged.",
    version_flags=[],
    default_parameter=Parameter(validator=refuse_odd_values),
    result_action="return_value",
)
# Named by path, so that a command imports only what it needs.
COMMANDS = {
    "demo": "Play the sample company: ten weeks, end to end, in ./demo.",
    "init": "Make a new workspace with a commented creditor.yaml.",
    "run": "Run a working day: inbox, decisions, documents, release, published log.",
    "intake": "Take in the files of the inbox, nothing else.",
    "aging": "Show how late what is owed; the total equals the open items, per currency.",
    "decisions": "Show for every open item which step it takes, or why none.",
    "release": "Let approved batches leave.",
    "stop": "Halt all release at once; everything else goes on.",
    "start": "Let batches leave again after `stop`.",
    "resolve": "Say whether an uncertain message left; without one, list them with all evidence.",
    "follow-up": "Take in what comes back: bounces, replies, returned letters, reports of agencies.",
    "record": "Record a dispute, promise, plan, hold, answer ...",
    "backup": "Write the whole workspace into one verified file, also while a run is at work.",
    "restore": "Restore a backup into a new folder; nothing leaves it until a person has looked.",
}
GROUPS = {
    "batches": (
        "What is to leave.",
        {
            "list": "List batches, newest first.",
            "show": "Show what a batch holds, action by action.",
            "approve": "Approve a batch, so that the next release lets it leave.",
            "reject": "Reject a batch; its items are held until the date given.",
        },
    ),
    "policy": (
        "The escalation policy.",
        {
            "check": "Find all errors and warnings of a policy before it writes to anyone.",
            "explain": "Tell a policy in plain sentences, with a picture of its ladders.",
            "test": "Run the worked cases of a policy.",
            "simulate": "Replay real history under a policy, day by day, without any effect.",
            "diff": "Tell who would be contacted differently under another policy.",
            "schema": "Print the JSON Schema of a YAML file, for editors.",
        },
    ),
    "report": (
        "Lists for credit managers and the ERP.",
        {
            "credit-hold": "Customers to block and to unblock since last time.",
            "habits": "Accounts whose habits or risk turned worse.",
            "write-offs": "Items proposed for a write-off, with what can still be expected of them.",
            "insolvencies": "Claims to declare in insolvencies, with their deadline.",
            "charges": "Interest, fixed sums and fees claimed: running, due or waived.",
            "provisions": "Expected losses by aging bucket (IFRS 9 provision matrix).",
        },
    ),
    "audit": (
        "What was done, when, why and by whom; open to read at any time.",
        {
            "log": "Show the events of the log, oldest first.",
            "show": "Show all that is known of one action, and prove its document.",
            "verify": "Check the chain of the log, in the store and in the published copy.",
            "query": "Ask a ready question, or ask the published tables in SQL.",
            "dossier": "Write one page with everything about a customer.",
            "erase": "Erase the personal data of a customer who owes nothing, on request.",
            "retain": "Erase what is past its declared period.",
        },
    ),
}
# Where a verb's module or function has another name than the words typed.
MODULES = {("policy", verb): f"policy_{verb}" for verb in ("explain", "test", "simulate", "diff", "schema")}
FUNCTIONS = {"list": "list_", **{verb: verb.replace("-", "_") for verb in ("credit-hold", "write-offs")}}
for name, text in COMMANDS.items():
    place = name.replace("-", "_")
    app.command(f"flows.commands.{place}:{place}", name=name, help=text)
for group, (text, verbs) in GROUPS.items():
    sub = App(name=group, help=text)
    for verb, verb_text in verbs.items():
        module, function = MODULES.get((group, verb), group), FUNCTIONS.get(verb, verb)
        sub.command(f"flows.commands.{module}:{function}", name=verb, help=verb_text)
    app.command(sub)


def main(arguments: list[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Return the exit code of one command; only a bug shows a traceback."""
    engine.choose_way()
    try:
        result = app(arguments, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        print(f"relance: {tell_wrong_words(error)}", file=sys.stderr)
        return ExitCode.WRONG_USE
    except RelanceError as error:
        print(f"relance: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("relance: stopped; what was begun is taken up by the next run.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return ExitCode.DONE
    except Exception as error:  # noqa: BLE001 - whatever is left is a bug, and has its own exit code
        return _tell_unexpected(error)
    return int(result) if isinstance(result, int) else ExitCode.DONE


def _tell_unexpected(error: Exception) -> int:
    """Say what went wrong that nobody foresaw: the disk, a Prefect server that is away, else a bug."""
    if (found := _of_the_disk(error)) is not None:
        print(
            f"relance: {found.filename or 'the disk'}: {found.strerror}. Mend that, then run again.",
            file=sys.stderr,
        )
        return ExitCode.WRONG_USE
    if engine.server_is_away():
        print(
            f"relance: no Prefect server answers at {os.environ['PREFECT_API_URL']}. Start it, or run without "
            "one: unset PREFECT_API_URL. What was begun is taken up by the next run.",
            file=sys.stderr,
        )
        return ExitCode.WRONG_USE
    traceback.print_exc()
    print(
        "relance: this is a bug of Relance, not a mistake of yours. Nothing half-done was kept.",
        file=sys.stderr,
    )
    return ExitCode.BUG


def _of_the_disk(error: BaseException) -> OSError | None:
    """Return the error of the disk, also where several tasks at once have met it."""
    if isinstance(error, BaseExceptionGroup):
        return next((found for inner in error.exceptions if (found := _of_the_disk(inner))), None)
    return error if isinstance(error, OSError) and error.errno in _DISK_ERRORS else None


if __name__ == "__main__":
    main()
