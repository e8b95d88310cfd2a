"""What is wrong with one value, in words for people who never heard of types."""

from typing import Annotated

import pytest
from pydantic import BaseModel, StringConstraints

from policies.strict_yaml import YamlInvalidError, load, validate
from policies.yaml_wording import did_you_mean, shorten


class _Values(BaseModel):
    text: str = ""
    count: int = 0
    code: Annotated[str, StringConstraints(pattern="^x$")] = "x"
    names: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("text: 5", "5 is no text"),
        ("text: {a: true, b: [1, x]}", "{a: true, b: [1, 'x']} is no text"),
        ("text:", "nothing stands here (allowed: text; in quotes"),
        ("count: soon", "'soon' is no whole number (allowed: digits without quotes, such as 7)"),
        ("code: y", "'y': string should match pattern '^x$'"),
        ("names: one", "'one' is one value, where a list is needed (allowed: [a, b], or one line for each"),
    ],
)
def test_a_wrong_value_is_shown_as_it_is_written(text: str, expected: str) -> None:
    with pytest.raises(YamlInvalidError) as refused:
        validate(_Values, load(text, "v.yaml"), "v.yaml")
    assert str(refused.value).partition(": line 1: ")[2].startswith(expected)


def test_a_near_word_is_proposed_and_a_long_one_is_cut() -> None:
    assert did_you_mean("chanel", ["channel", "agency"]) == "; did you mean 'channel'?"
    assert did_you_mean("zzz", ["channel", "agency"]) == ""
    assert len(shorten("x" * 500)) == 80
