"""Who we are: the creditor whose invoices are collected, as `creditor.yaml` says it.

Checked here: shapes and check digits, all errors together. Not here: whether the policy named exists
(`tasks.workspace`), or whether a mail server answers.
"""

import re
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from policies import strict_yaml
from policies.errors import CreditorInvalidError
from policies.hosts import is_local_host
from policies.mail_addresses import mail_address
from policies.retention import Retention

_CODES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW
BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI
FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN
IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME
MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF
PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV
SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK
YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_CODES.split())
"""ISO 3166-1 alpha-2, and XK."""


def _check_country(text: str) -> str:
    if text not in COUNTRIES:
        hint = "; the United Kingdom is GB" if text == "UK" else ""
        raise ValueError(
            f"'{text}' is not a country code of two capital letters, such as FR (ISO 3166){hint}"
        )
    return text


def _check_email(text: str) -> str:
    if not mail_address(text):
        raise ValueError(
            f"'{text}' is not an e-mail address, such as name@company.example; before the @ only ASCII"
        )
    return text


def _check_iban(text: str) -> str:
    iban = re.sub(r"\s", "", text).upper()
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", iban):
        raise ValueError(f"'{text}' is not an IBAN: two letters, two digits, then 11 to 30 letters or digits")
    # ISO 7064 MOD 97-10: the first four characters go last, A = 10 … Z = 35.
    if int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97 != 1:
        raise ValueError(f"'{text}' is not an IBAN: its check digits do not fit; is a digit wrong?")
    return iban


def _check_bic(text: str) -> str:
    bic = re.sub(r"\s", "", text).upper()
    if not re.fullmatch(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?", bic):
        raise ValueError(f"'{text}' is not a BIC: 8 or 11 characters, such as AGRIFRPP")
    return bic


def _check_time_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"'{text}' is not a time zone, such as Europe/Paris") from None
    return text


Text = Annotated[str, Field(min_length=1)]
Country = Annotated[str, AfterValidator(_check_country)]
Email = Annotated[str, AfterValidator(_check_email)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
Seconds = Annotated[int, Field(ge=1, le=3600)]


class _Strict(BaseModel):
    # Built when first used: some commands never ask who the creditor is.
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, defer_build=True)


class Address(_Strict):
    """Where letters come from."""

    line_1: Text
    line_2: str | None = None
    line_3: str | None = None
    line_4: str | None = None
    postcode: Text
    city: Text
    country: Country

    @property
    def lines(self) -> tuple[str, ...]:
        """The street lines that are filled, in order."""
        return tuple(line for line in (self.line_1, self.line_2, self.line_3, self.line_4) if line)


class Bank(_Strict):
    """Where customers are asked to pay."""

    iban: Annotated[str, AfterValidator(_check_iban)]
    bic: Annotated[str, AfterValidator(_check_bic)] | None = None
    bank_name: str | None = None
    account_holder: str | None = None

    @property
    def printed_iban(self) -> str:
        """The IBAN in groups of four."""
        return " ".join(self.iban[start : start + 4] for start in range(0, len(self.iban), 4))


class Sender(_Strict):
    """Whom customers see and answer."""

    name: Text
    email: Email
    phone: str | None = None
    reply_to: Email | None = None
    title: str | None = None


class Signatory(_Strict):
    """Who signs letters."""

    name: Text
    title: str | None = None


class Agency(_Strict):
    """Who collects for us once a customer is placed."""

    name: Text
    address: Address | None = None
    creditor_ref: str | None = None
    email: Email | None = None


class Timeouts(_Strict):
    """How long each phase of speaking to the mail server may take, in seconds."""

    connect: Seconds = 30
    command: Seconds = 60
    data: Seconds = 180
    answer: Seconds = 300


class Smtp(_Strict):
    """The mail server and how it is spoken to; secrets are named, never written."""

    model_config = ConfigDict(populate_by_name=True)

    host: Text
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username_env: str | None = None
    password_env: str | None = None
    login_block: Text | None = None
    certificate_file: Text | None = None
    from_: Email | None = Field(default=None, alias="from")
    copy_to: Email | None = None
    connections: Annotated[int, Field(ge=1, le=50)] = 4
    messages_per_minute: Annotated[int, Field(ge=1)] | None = None
    messages_per_minute_per_domain: Annotated[int, Field(ge=1)] | None = None
    maximum_message_kilobytes: Annotated[int, Field(ge=1)] | None = None
    retry_for_seconds: Annotated[int, Field(ge=0, le=3600)] = 60
    timeout_seconds: Timeouts = Timeouts()

    @field_validator("login_block")
    @classmethod
    def _has_one_login(cls, name: str, info: ValidationInfo) -> str:
        if info.data.get("username_env") or info.data.get("password_env"):
            raise ValueError("the login comes from a Prefect block or from the environment, not from both")
        return name


class Imap(_Strict):
    """A mailbox on a server where mail comes back; secrets are named, never written."""

    host: Text
    port: Annotated[int, Field(ge=1, le=65535)] = 993
    security: Literal["tls", "starttls", "none"] = "tls"
    username_env: Text
    password_env: Text
    folder: Text = "INBOX"
    # Where copies of what was sent stand: a copy settles a message of which nobody knows whether it left.
    sent_folder: Text | None = None
    mark_seen: bool = False
    # Mail that was taken in goes there; without it, it stays where it is. Nothing is ever deleted.
    move_to: Text | None = None
    # A file of certificates to trust beside those of the machine: a company's own authority.
    certificate_file: Text | None = None

    @field_validator("security")
    @classmethod
    def _check_security(cls, security: str, info: ValidationInfo) -> str:
        if security == "none" and not is_local_host(str(info.data.get("host", ""))):
            raise ValueError(
                "'none' would send the password in clear text; only this machine may be asked so"
            )
        return security


class Returns(_Strict):
    """Where mail comes back to, and how it is judged; without it only files of the inbox are read."""

    imap: Imap | None = None
    # Folders in the form of a Maildir, relative to the workspace or absolute.
    maildir: Text | None = None
    sent_maildir: Text | None = None
    # Calendar days that nothing leaves to a customer who replied.
    reply_hold_days: Annotated[int, Field(ge=0, le=366)] = 7
    # So many messages in a row that did not arrive count as one bounce for good.
    soft_bounces: Annotated[int, Field(ge=1, le=100)] = 3


class TimeStampAuthority(_Strict):
    """Who states when a head of the log was there (RFC 3161); only its hash goes to them."""

    url: Annotated[str, Field(pattern=r"^https?://\S+$")]
    certificate_file: Text


class Audit(_Strict):
    """Where heads of the log are kept, so that a log cut short is found."""

    head_copies: tuple[Text, ...] = ()
    time_stamp_authority: TimeStampAuthority | None = None


class Creditor(_Strict):
    """The legal entity that invoices."""

    legal_name: Text
    legal_form: str | None = None
    share_capital: str | None = None
    # Before what depends on it: a check sees only the keys declared above its own.
    country: Country
    registration_id: Text
    registration_court: str | None = None
    vat_id: str | None = None
    address: Address
    language: Language
    time_zone: Annotated[str, AfterValidator(_check_time_zone)] = "Europe/Paris"
    place: str | None = None
    bank: Bank
    sender: Sender
    signatory: Signatory | None = None
    policy: Text
    agencies: dict[str, Agency] = {}
    smtp: Smtp | None = None
    maildir: Text | None = None
    returns: Returns = Returns()
    audit: Audit = Audit()
    retention: Retention = Retention()

    @field_validator("maildir")
    @classmethod
    def _has_one_way_out(cls, path: str, info: ValidationInfo) -> str:
        if info.data.get("smtp"):
            raise ValueError("e-mail leaves through `smtp` or into a `maildir`, not both; take one out")
        return path

    @field_validator("registration_id")
    @classmethod
    def _check_siren(cls, text: str, info: ValidationInfo) -> str:
        digits = re.sub(r"\s", "", text)
        if info.data.get("country") == "FR" and re.fullmatch(r"[0-9]{9}", digits) and not _has_luhn(digits):
            raise ValueError(f"'{text}' is not a SIREN: its check digit does not fit; is a digit wrong?")
        return text

    @property
    def printed_place(self) -> str:
        """The town printed before the date of a letter."""
        return self.place or self.address.city


@lru_cache(maxsize=32)
def parse(text: str, file: str = "creditor.yaml") -> Creditor:
    """Return the creditor that a YAML text describes, or say everything that is wrong with it."""
    try:
        return strict_yaml.load_model(Creditor, text, file)
    except strict_yaml.YamlInvalidError as error:
        raise CreditorInvalidError(str(error), error.problems) from error


def _has_luhn(digits: str) -> bool:
    # ISO/IEC 7812-1: double every second digit from the right; the digits of all results add up to tens.
    doubled = (int(digit) * (2 if index % 2 else 1) for index, digit in enumerate(reversed(digits)))
    return sum(sum(divmod(number, 10)) for number in doubled) % 10 == 0
