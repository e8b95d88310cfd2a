"""The shape of what is known."""

from policies.history import SCHEMAS, empty_history


def test_an_empty_history_has_every_frame_in_its_shape() -> None:
    known = empty_history()
    assert {name: getattr(known, name).schema for name in SCHEMAS} == SCHEMAS
    assert all(getattr(known, name).is_empty() for name in SCHEMAS)
