"""The command line `relance`: what people type, and the exit code each kind of ending has.

Flows run plainly in this process, unless PREFECT_API_URL names a server; then they show up in its UI.
"""

import sys
import traceback

from cyclopts import App, CycloptsError

from flows import engine
from policies.errors import ExitCode, RelanceError

app = App(
    name="relance",
    help="Collects trade receivables: from accounting exports to reminders, each decision explained and logged.",
    version_flags=[],
    result_action="return_value",
)
app.command("flows.commands.demo:demo")
app.command("flows.commands.init:init")
app.command("flows.commands.run:run")
app.command("flows.commands.intake:intake")
app.command("flows.commands.aging:aging")
app.command("flows.commands.decisions:decisions")
app.command("flows.commands.release:release")
app.command("flows.commands.record:record")

batches = App(name="batches", help="What is to leave: list, look, approve, reject.")
for verb in ("list", "show", "approve", "reject"):
    batches.command(f"flows.commands.batches:{verb}_batch", name=verb)
app.command(batches)

policy = App(name="policy", help="The escalation policy: is it sound?")
policy.command("flows.commands.policy:check", name="check")
app.command(policy)

audit = App(name="audit", help="What was done, when, why and by whom; open to read at any time.")
for verb in ("log", "show", "verify", "query"):
    audit.command(f"flows.commands.audit:{verb}", name=verb)
app.command(audit)


def main(arguments: list[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Return the exit code of one command; only a bug shows a traceback."""
    engine.choose_way()
    try:
        result = app(arguments, exit_on_error=False, print_error=True)
    except CycloptsError:
        return ExitCode.WRONG_USE
    except RelanceError as error:
        print(f"relance: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("relance: stopped; what was begun is taken up by the next run.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return ExitCode.DONE
    except Exception:
        traceback.print_exc()
        print(
            "relance: this is a bug of Relance, not a mistake of yours. Nothing half-done was kept.",
            file=sys.stderr,
        )
        return ExitCode.BUG
    return int(result) if isinstance(result, int) else ExitCode.DONE


if __name__ == "__main__":
    main()
