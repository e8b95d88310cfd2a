"""The keys of a policy file, as frozen models: what may be written, never what follows from it.

One class per block of the file. `policies.policy` loads a file, `policies.policy_check` checks what one key
alone cannot tell, and `policies/README.md` says in plain words what each key does.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from policies.model import Channel


def refuse_truth(value: object) -> object:
    """Refuse true and false, which Python takes for numbers."""
    if isinstance(value, bool):
        raise ValueError("true and false are no number")  # noqa: TRY004 - pydantic collects ValueError only
    return value


def _refuse_percent(value: object) -> object:
    if isinstance(value, int | Decimal) and value > 1:
        raise ValueError(f"{value} is no fraction: write 12 % as 0.12")
    return value


def refuse_empty(value: object) -> object:
    """Refuse a list or a mapping that holds nothing."""
    if value in ([], {}, ()):
        raise ValueError("nothing stands here, and at least one is needed")
    return value


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]
Day = Annotated[date, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=0, le=10_000)]
Positive = Annotated[int, Field(strict=True, ge=1, le=10_000)]
Flag = Annotated[bool, Field(strict=True)]
Amount = Annotated[Decimal, BeforeValidator(refuse_truth), Field(ge=0, max_digits=18)]
Percent = Annotated[Decimal, BeforeValidator(refuse_truth), Field(ge=0, le=100)]
PercentOfUsual = Annotated[Decimal, BeforeValidator(refuse_truth), Field(ge=100, le=10_000)]
Rate = Annotated[Decimal, BeforeValidator(_refuse_percent), BeforeValidator(refuse_truth), Field(ge=0, le=1)]
Amounts = dict[Currency, Amount]


class LadderMode(StrEnum):
    """Whether an item climbs every step, or takes the last one whose time has come."""

    ONE_STEP_AT_A_TIME = "one_step_at_a_time"
    MOST_SEVERE = "most_severe"


class Entry(StrEnum):
    """Where an item starts that has no step yet on its ladder."""

    START_AT_FIRST_STEP = "start_at_first_step"
    START_BY_AGE = "start_by_age"


class Anchor(StrEnum):
    """Whether each item follows its own dates or those of the oldest overdue one."""

    ITEM = "item"
    OLDEST_ITEM = "oldest_item"


class ContactOn(StrEnum):
    """On which days customers are contacted."""

    BUSINESS_DAYS = "business_days"
    EVERY_DAY = "every_day"


class _Keys(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Blackout(_Keys):
    """Days on which nobody is contacted; both ends belong to it."""

    from_: Day = Field(alias="from")
    to: Day
    why: Text


class Calendar(_Keys):
    """Days of contact. `country` serves customers whose own country is unknown."""

    country: Country | None = None
    contact_on: ContactOn | None = None
    blackouts: tuple[Blackout, ...] = ()


class ContactCap(_Keys):
    """At most `contacts` contacts of a customer within `days` days."""

    contacts: Positive
    days: Positive


ReachableChannel = Literal["email", "letter", "call"]


class Contact(_Keys):
    """How often a customer is contacted, over all channels and currencies, and how when an address is missing.

    `fallback` names the channel that stands in for another whose address is missing or came back.
    """

    minimum_gap_days: Count | None = None
    maximum: ContactCap | None = None
    fallback: dict[ReachableChannel, ReachableChannel] = Field(default_factory=dict)


class Guards(_Keys):
    """Brakes for a day that looks wrong."""

    maximum_source_age_business_days: Count | None = None
    maximum_customers_contacted_percent: Percent | None = None
    maximum_amount: Amounts = Field(default_factory=dict)
    maximum_percent_of_usual_amount: PercentOfUsual | None = None
    maximum_first_contacts_percent: Percent | None = None
    maximum_bounces_percent: Percent | None = None


class Approvals(_Keys):
    """How long a word on a batch is waited for and counts, and from which amount on two persons must give it."""

    expire_after_days: Positive | None = None
    two_names_above: Amounts = Field(default_factory=dict)


class RiskClass(_Keys):
    """A class of risk and the accounts in it; the first that matches wins, no `when` matches all."""

    class_: Name = Field(alias="class")
    when: Text | None = None


class Segment(_Keys):
    """A group of accounts and the ladder they climb; the first that matches wins."""

    segment: Name
    when: Text | None = None
    ladder: Name


class Accelerate(_Keys):
    """When an overdue item leaves the timing of its ladder, and to which step it goes."""

    when: Text
    to: Name


class Condition(_Keys):
    """A rule that is nothing but its condition: `credit_hold`."""

    when: Text


class GiveUp(_Keys):
    """When a write-off is proposed: by condition, when too little can be expected, or when the law cuts it off.

    `cost_limit` is compared with the amount times the share that `recovery_odds` expects at that age;
    `limitation_within_days` proposes what the statute's limitation period ends within so many days.
    """

    when: Text | None = None
    cost_limit: Amounts = Field(default_factory=dict)
    recovery_odds: Name | None = None
    limitation_within_days: Count | None = None


class Watch(_Keys):
    """A change of an account that is reported on the day its condition becomes true."""

    watch: Name
    when: Text


class Provisions(_Keys):
    """How expected losses are provided for: rates by aging bucket, and a factor for what lies ahead.

    Without `loss_rates` the rates come from the creditor's own history.
    """

    loss_rates: Name | None = None
    forward_looking: Annotated[Decimal, BeforeValidator(refuse_truth), Field(ge=0, le=10)] = Decimal(1)


class Charges(_Keys):
    """What a contract says of charges: a yearly rate (0.12 is 12 %), and if they outlive the principal."""

    rate: Rate | None = None
    survive: Flag = False


class Step(_Keys):
    """One rung of a ladder: when, to whom, by what channel, with which safeguards."""

    step: Name
    after_due_days: Annotated[int, Field(strict=True, ge=-365, le=3650)] | None = None
    after_invoice_days: Annotated[int, Field(strict=True, ge=0, le=3650)] | None = None
    end_of_month: Flag = False
    after_previous_days: Annotated[int, Field(strict=True, ge=0, le=3650)] | None = None
    before_due: Flag = False
    when: Text | None = None
    minimum_amount: Amounts = Field(default_factory=dict)
    channel: Channel
    template: Name = Field(default_factory=lambda keys: keys.get("step", ""))
    charges: tuple[Literal["late_interest", "recovery_charge"], ...] = ()
    fee: Amounts = Field(default_factory=dict)
    approval: Literal["required"] | None = None
    approvers: Annotated[int, Field(strict=True, ge=1, le=5)] = 1
    answer_within_days: Annotated[int, Field(strict=True, ge=0, le=365)] = 0
    repeat_every_days: Annotated[int, Field(strict=True, ge=1, le=3650)] | None = None
    repeat_at_most: Annotated[int, Field(strict=True, ge=1, le=100)] | None = None
    requires_outcome: Flag = False
    needs_delivery_proof: Flag = False
    by: Name | None = None
    agency: Name | None = None

    @property
    def is_pre_due(self) -> bool:
        """Whether it is due up to the due date only, and travels with its like only."""
        return self.before_due or (self.after_due_days is not None and self.after_due_days < 0)

    @property
    def has_timing(self) -> bool:
        """Whether any key says when it is due."""
        return self.before_due or any(
            days is not None
            for days in (self.after_due_days, self.after_invoice_days, self.after_previous_days)
        )


_SOME = Field(json_schema_extra={"minItems": 1})
Ladder = Annotated[tuple[Step, ...], BeforeValidator(refuse_empty), _SOME]


class Policy(_Keys):
    """A whole policy file. An absent key means that its rule is off."""

    policy: Name
    description: Text
    review_by: Day | None = None
    statute: Text | None = None
    aging_buckets_days: Annotated[tuple[Count, ...], BeforeValidator(refuse_empty), _SOME] = (0, 30, 60, 90)
    calendar: Calendar | None = None
    contact: Contact = Contact()
    ladder_mode: LadderMode = LadderMode.ONE_STEP_AT_A_TIME
    entry: Entry = Entry.START_AT_FIRST_STEP
    anchor: Anchor = Anchor.ITEM
    small_balance: Amounts = Field(default_factory=dict)
    promise_grace_days: Count = 0
    guards: Guards = Guards()
    approvals: Approvals = Approvals()
    risk: tuple[RiskClass, ...] = ()
    segments: Annotated[tuple[Segment, ...], BeforeValidator(refuse_empty), _SOME]
    ladders: Annotated[
        dict[Name, Ladder], BeforeValidator(refuse_empty), Field(json_schema_extra={"minProperties": 1})
    ]
    accelerate: tuple[Accelerate, ...] = ()
    give_up: GiveUp | None = None
    credit_hold: Condition | None = None
    watch: tuple[Watch, ...] = ()
    provisions: Provisions = Provisions()
    charges: Charges = Charges()
