"""The one reader of YAML: nothing is guessed, and everything wrong is told at once."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from policies.strict_yaml import YamlInvalidError, load, load_model, validate
from policies.yaml_problems import add_lines, join_path, line_of


def sentences(text: str) -> list[str]:
    with pytest.raises(YamlInvalidError) as refused:
        load(text, "rules.yaml")
    return [problem.sentence() for problem in refused.value.problems]


def test_plain_values_get_the_type_a_reader_expects() -> None:
    text = (
        "a: 7\nb: -1.10\nc: 2027-06-30\nd: true\ne: false\nf: some text\ng:\nh: null\ni: '010'\nj: \"NO\"\n"
    )
    text += "k: [y, n]\n"
    assert load(text, "rules.yaml") == {
        "a": 7,
        "b": Decimal("-1.10"),
        "c": date(2027, 6, 30),
        "d": True,
        "e": False,
        "f": "some text",
        "g": None,
        "h": None,
        "i": "010",
        "j": "NO",
        "k": ["y", "n"],
    }


def test_an_empty_file_holds_nothing() -> None:
    assert load("# only a comment\n", "rules.yaml") is None


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("NO", "true or false"),
        ("on", "true or false"),
        ("Yes", "true or false"),
        ("TRUE", "true or false"),
        ("010", "octal"),
        ("0x1F", "hexadecimal"),
        ("0b11", "hexadecimal"),
        ("12:30", "base 60"),
        ("1_000", "underscores"),
        ("1e3", "unusual form"),
        ("1.5E+10", "unusual form"),
        ("1.", "unusual form"),
        (".5", "unusual form"),
        (".inf", "unusual form"),
        (".NaN", "unusual form"),
        ("2027-02-30", "is no day of the calendar"),
        ("2027-2-3", "short form"),
        ("2027-02-03 10:00:00", "date with a time"),
        ("2027-02-03T10:00:00Z", "date with a time"),
    ],
)
def test_a_word_that_programs_read_differently_is_refused_with_its_line(word: str, reason: str) -> None:
    (sentence,) = sentences(f"description: x\nvalue: {word}\n")
    assert sentence.startswith(f"rules.yaml: value: line 2: '{word}' ")
    assert reason in sentence
    assert load(f"value: '{word}'\n", "rules.yaml") == {"value": word}


def test_all_problems_of_a_file_are_told_together() -> None:
    found = sentences("a: NO\nb:\n  - 010\n  - c: 12:30\na: 2\nOFF: 1\n")
    assert [sentence.split(": ")[1:3] for sentence in found] == [
        ["a", "line 1"],
        ["b[0]", "line 3"],
        ["b[1].c", "line 4"],
        ["a", "line 5"],
        ["line 6", "'OFF' is read as true or false by some programs and as text by others (allowed"],
    ]
    assert "the key stands twice, first on line 1" in found[3]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [1,", "line 1: not readable as YAML at column 7: a bracket is opened and not closed"),
        ("a:\n\t- b", "line 2: not readable as YAML at column 1: a tab stands at the beginning of the line"),
        ("--- a\n--- b\n", "another document"),
        ("a: &x 1\nb: *x\n", "anchors are not read"),
        ("a: *x\n", "anchors are not read"),
        ("a: !!python/name:os.system x\n", "is not read"),
        ("a: !!int '3'\n", "is not read"),
        ("? [a]\n: b\n", "a key is a list or a mapping"),
        ("a: \x07", "special characters are not allowed"),
        ("[" * 60 + "]" * 60, "nested too deep"),
        ("[" * 5000, "nested far too deep"),
    ],
)
def test_what_is_no_plain_yaml_is_refused(text: str, reason: str) -> None:
    assert reason in sentences(text)[0]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    days: int
    note: str = Field(default="", alias="says")


class _Fixed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: Decimal


class _Rules(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    lines: tuple[_Line, ...] = ()
    by_name: dict[str, _Line] = {}
    first: _Line | None = None
    count: int = 0
    tiers: tuple[Annotated[_Fixed | _Line, "one of two"], ...] = ()
    mode: Literal["one", "all"] = "one"

    @model_validator(mode="after")
    def _counts_what_is_there(self) -> "_Rules":
        if self.count > 9:
            raise ValueError("more than nine are never there")
        return self

    @field_validator("name")
    @classmethod
    def _is_lower_case(cls, name: str) -> str:
        if not name.islower():
            raise ValueError("a name is written in small letters")
        return name


def refused(text: str) -> list[str]:
    with pytest.raises(YamlInvalidError) as caught:
        validate(_Rules, load(text, "rules.yaml"), "rules.yaml")
    return str(caught.value).splitlines()


def test_a_right_file_becomes_its_model() -> None:
    rules = validate(_Rules, load("name: x\nlines: [{days: 3, says: hello}]\n", "rules.yaml"), "rules.yaml")
    assert rules.lines[0].note == "hello"


def test_wrong_keys_are_told_with_line_and_what_is_allowed() -> None:
    known = ", ".join(_Rules.model_fields)
    assert refused(
        "name: X\nlines:\n  - {days: 1, day: 2}\n  - {says: x}\nby_name:\n  one: {days: 1, sais: x}\n"
        "first: {days: soon, zzz: 1}\ncoutn: 3\n"
    ) == [
        "rules.yaml: name: line 1: a name is written in small letters",
        "rules.yaml: lines[0].day: line 3: unknown key 'day'; did you mean 'days'? (allowed: days, says)",
        "rules.yaml: lines[1].days: line 4: this key is missing",
        "rules.yaml: by_name.one.sais: line 6: unknown key 'sais'; did you mean 'says'? (allowed: days, says)",
        "rules.yaml: first.days: line 7: 'soon' is no whole number (allowed: digits without quotes, such as 7)",
        "rules.yaml: first.zzz: line 7: unknown key 'zzz' (allowed: days, says)",
        f"rules.yaml: coutn: line 8: unknown key 'coutn'; did you mean 'count'? (allowed: {known})",
    ]


def test_what_fits_none_of_several_shapes_is_told_for_each() -> None:
    assert refused("name: x\ntiers:\n  - {days: 1, dais: 2}\nmode: many\n") == [
        "rules.yaml: tiers[0].amount: line 3: this key is missing",
        "rules.yaml: tiers[0].days: line 3: unknown key 'days' (allowed: amount)",
        "rules.yaml: tiers[0].dais: line 3: unknown key 'dais' (allowed: amount)",
        "rules.yaml: tiers[0].dais: line 3: unknown key 'dais'; did you mean 'days'? (allowed: days, says)",
        "rules.yaml: mode: line 4: 'many' is not known here (allowed: one, all)",
    ]


def test_a_rule_over_the_whole_file_is_told_without_a_place() -> None:
    assert refused("name: x\ncount: 10\n") == ["rules.yaml: more than nine are never there"]


def test_a_missing_key_of_data_without_lines_is_told_too() -> None:
    with pytest.raises(YamlInvalidError, match=r"^rules\.yaml: name: this key is missing$"):
        validate(_Rules, {}, "rules.yaml")


def test_a_long_value_is_shown_shortened() -> None:
    (sentence,) = refused(f"name: x\ncount: {'y' * 200}\n")
    assert "..." in sentence
    assert len(sentence) < 200


@pytest.mark.parametrize("text", ["", "- a\n", "just words\n"])
def test_a_file_without_keys_is_refused(text: str) -> None:
    assert refused(text) == ["rules.yaml: the file holds no keys (allowed: lines of the form key: value)"]


def test_a_path_reads_as_people_write_it() -> None:
    assert join_path(["ladders", "standard", 1, "when"]) == "ladders.standard[1].when"


def test_the_line_is_that_of_the_innermost_key_that_stands_in_the_file() -> None:
    content = load("a:\n  b:\n    - c: 1\n      d: 2\n", "rules.yaml")
    assert line_of(content, ["a", "b", 0, "d"]) == 4
    assert line_of(content, ["a", "b", 0, "absent"]) == 3
    assert line_of(content, ["a", "b", 0, "d", "deeper"]) == 4
    assert line_of([1], [0]) is None


def test_problems_without_a_place_in_the_file_stay_as_they_are() -> None:
    with pytest.raises(YamlInvalidError) as caught:
        validate(_Rules, {"name": "x", "count": "y"}, "rules.yaml")
    assert add_lines(caught.value.problems, {"name": "x"}) == list(caught.value.problems)


class Office(BaseModel):
    model_config = ConfigDict(extra="forbid")
    country: str
    is_open: Annotated[bool, Field(strict=True)] = True


def refused_office(text: str) -> list[tuple[str, str]]:
    with pytest.raises(YamlInvalidError) as refused:
        load_model(Office, text, "office.yaml")
    return [(problem.key_path, problem.allowed) for problem in refused.value.problems]


def test_what_the_text_and_what_the_model_refuse_is_told_together_and_by_the_kind_of_key() -> None:
    assert load_model(Office, "country: 'NO'", "office.yaml") == Office(country="NO")
    assert refused_office("country: NO") == [("country", "'NO' in quotes")]
    assert refused_office("country: NO\nis_open: yes\ncolour: red\n") == [
        ("country", "'NO' in quotes"),
        ("is_open", "true, false"),
        ("colour", "country, is_open"),
    ]
    assert refused_office("- a list") == [("", "lines of the form key: value")]
