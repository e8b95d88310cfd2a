"""Reads a file of policy cases: everything wrong in it is told at once, with its line.

What a case may say stands in `policies.policy_cases`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from pydantic import ValidationError

from policies.errors import Problem
from policies.policy_cases import PolicyCase
from policies.strict_yaml import NO_KEYS, YamlInvalidError, read
from policies.yaml_problems import Lines, explain_renamed, line_of, reconcile, rename_misspelt

C = TypeVar("C", bound=PolicyCase)


def load_cases(text: str, file: str, model: type[C]) -> Sequence[C]:
    """Return the cases of a YAML text; raise one error that lists all its problems."""
    content, misread = read(text, file)
    if not isinstance(content, list) or not content:
        none = Problem(file, "", "the file holds no cases", "a list: - case: A sentence. ...")
        raise YamlInvalidError(misread or [none])
    cases: list[C] = []
    problems: list[Problem] = []
    for place, one in enumerate(content):
        start = f"[{place}]"
        own = [
            replace(problem, key_path=problem.key_path.removeprefix(start).removeprefix("."))
            for problem in misread
            if problem.key_path == start or problem.key_path.startswith(f"{start}.")
        ]
        case, found = _read_case(one, own, model, file)
        cases += [case] if case else []
        problems += [
            replace(_placed(problem, place), line=problem.line or line_of(content, [place]))
            for problem in found
        ]
    sentences = [case.case for case in cases]
    problems += [
        Problem(file, "", f"two cases say the same sentence: {sentence}")
        for sentence in dict.fromkeys(sentences)
        if sentences.count(sentence) > 1
    ]
    if problems:
        raise YamlInvalidError(sorted(problems, key=lambda problem: problem.line or 0))
    return cases


def _read_case(
    content: object, misread: Sequence[Problem], model: type[C], file: str
) -> tuple[C | None, list[Problem]]:
    """Return a case, if it is sound, and everything wrong in it."""
    if not isinstance(content, Lines):
        return None, [*misread] or [Problem(file, "", *NO_KEYS)]
    case, error = _validate(content, model)
    problems = reconcile(misread, error, model, content, file)
    while error is not None and (renamed := rename_misspelt(error, model, content)):
        error = _validate(content, model)[1]
        problems += explain_renamed(error, model, content, renamed, problems, file)
    return case, problems


def _validate(content: Lines, model: type[C]) -> tuple[C | None, ValidationError | None]:
    try:
        return model.model_validate(content), None
    except ValidationError as error:
        return None, error


def _placed(problem: Problem, place: int) -> Problem:
    path = f"[{place}].{problem.key_path}" if problem.key_path else f"[{place}]"
    return replace(problem, key_path=path)
