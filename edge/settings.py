"""Settings: `homemeeting.toml` in the home, over it `HOMEMEETING_*`; parsed once, then frozen."""

import os
import pwd
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edge.faults import Fault, Refused
from edge.kafka_access import KAFKA_KEYS, PASSWORD, KafkaAccess, kafka_access, wrong_access
from edge.tax_settings import TAX_KEYS, TaxSettings, read_tax

_SELLER = (
    *("name", "legal_name", "street", "postal_code", "city", "region", "country", "email"),
    *("vat_number", "registration_id", "endpoint", "iban", "bic", "time_zone", "tax_currency"),
    "footer",
)
_USER_MAX = 128
_SERIES: Final = re.compile(r"[A-Z0-9](?:[A-Z0-9-]{0,18}[A-Z0-9])?", re.ASCII)
_TEXTS: Final = {"invoice_series": "HM", "credit_note_series": "CN", "zero_invoices": "nil"}
_KEYS: Mapping[str, Mapping[str, type]] = {
    "kafka": dict.fromkeys(("bootstrap_servers", *KAFKA_KEYS), str),
    "seller": {**dict.fromkeys(_SELLER, str), "payment_terms_days": int},
    "tax": TAX_KEYS,
    "tuning": {"sample_days": int},
    "billing": {
        **dict.fromkeys(("memory_mib", "grace_hours", "adjust_months"), int),
        **dict.fromkeys(_TEXTS, str),
        "expected_servers": list,
    },
}
_NO_SECRETS: Final = "no secret stands here: name kafka.password_file or set " + PASSWORD
SAMPLE_DAYS, MEMORY_MIB, GRACE_HOURS, ADJUST_MONTHS = 90, 600, 48, 12
PAYMENT_TERMS_DAYS: Final = 14
_SERVER: Final = re.compile(r"[A-Za-z0-9_.:@+-]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a home is set to. `bootstrap_servers` is None where there is no Kafka, and `kafka`
    is how its brokers let us in; `seller` is what stands on invoices, as pairs of name and
    value; `user` is who acts, for the audit trail; `sample_days` is how long raw quality samples
    are kept; `memory_mib` what billing holds in memory, beyond which it works on disk;
    `grace_hours` how long after its end a period waits for what is late, and `expected_servers`
    the servers it waits for whether heard of or not; a series is what numbers begin with;
    `zero_invoices` what becomes of documents without an amount, nil or issue; `adjust_months`
    how long ago late usage may have started to be charged unasked; `tax` what is charged of tax.
    """

    home: Path
    bootstrap_servers: str | None
    user: str
    seller: tuple[tuple[str, str | int], ...] = (("name", "HomeMeeting"),)
    sample_days: int = SAMPLE_DAYS
    memory_mib: int = MEMORY_MIB
    grace_hours: int = GRACE_HOURS
    expected_servers: tuple[str, ...] = ()
    invoice_series: str = _TEXTS["invoice_series"]
    credit_series: str = _TEXTS["credit_note_series"]
    zero_invoices: str = _TEXTS["zero_invoices"]
    adjust_months: int = ADJUST_MONTHS
    kafka: KafkaAccess = KafkaAccess()
    tax: TaxSettings = TaxSettings()

    @property
    def seller_zone(self) -> str:
        """The time zone whose days are days of issue."""
        return str(dict(self.seller).get("time_zone", "UTC"))

    @property
    def seller_country(self) -> str | None:
        """Where the seller is, an ISO 3166 code; None: nowhere yet, and no tax is decided."""
        found = dict(self.seller).get("country")
        return None if found is None else str(found)

    @property
    def payment_terms_days(self) -> int:
        """Days from issue until payment is due, of accounts that have none of their own."""
        return int(dict(self.seller).get("payment_terms_days", PAYMENT_TERMS_DAYS))

    def kafka_servers(self) -> str:
        """The bootstrap servers, for what cannot go on without. Refuses with KAFKA_NOT_SET."""
        if not self.bootstrap_servers:
            advice = "set [kafka] bootstrap_servers or HOMEMEETING_KAFKA_BOOTSTRAP_SERVERS"
            raise Refused("KAFKA_NOT_SET", advice)
        return self.bootstrap_servers

    @property
    def journal(self) -> Path:
        return self.home / "journal"

    @property
    def usage(self) -> Path:
        return self.home / "usage.duckdb"

    @property
    def books(self) -> Path:
        return self.home / "books.duckdb"

    @property
    def evidence(self) -> Path:
        return self.home / "evidence"

    @property
    def documents(self) -> Path:
        return self.home / "documents"


def load_settings(home: Path, environ: Mapping[str, str]) -> Settings:
    """The settings of `home`. Refuses with SETTINGS, every fault listed."""
    file = home / "homemeeting.toml"
    try:
        told = tomllib.loads(file.read_text("utf-8")) if file.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused("SETTINGS", f"{file} is not TOML: {error}") from error
    faults = list(_faults(told))
    days = _number(told, environ, "tuning", "sample_days", SAMPLE_DAYS)
    memory = _number(told, environ, "billing", "memory_mib", MEMORY_MIB)
    months = _number(told, environ, "billing", "adjust_months", ADJUST_MONTHS)
    grace = _number(told, environ, "billing", "grace_hours", GRACE_HOURS)
    servers = _names(told, environ, "billing", "expected_servers")
    access, tax = KafkaAccess(), TaxSettings()
    if not faults:
        tax, wrong = read_tax(told.get("tax", {}))
        faults += wrong
        access = kafka_access(home, told.get("kafka", {}), environ)
        faults += wrong_access(access)
        faults += _out_of_range("tuning.sample_days", days, "days", (1, 36_500))
        faults += _out_of_range("billing.memory_mib", memory, "MiB", (200, 1_000_000))
        faults += _out_of_range("billing.adjust_months", months, "months", (0, 1_200))
        faults += _out_of_range("billing.grace_hours", grace, "hours", (0, 8760))
        faults += _no_servers("billing.expected_servers", servers)
        faults += _wrong_texts(_TEXTS | told.get("billing", {}))
        faults += _wrong_seller(told.get("seller", {}))
    if faults:
        raise Refused("SETTINGS", f"{file} or the environment has {len(faults)} faults", faults)
    kafka = environ.get("HOMEMEETING_KAFKA_BOOTSTRAP_SERVERS")
    seller = told.get("seller", {})
    if not {"name", "legal_name", "country"}.intersection(seller):
        seller = {"name": "HomeMeeting", **seller}
    texts = _TEXTS | told.get("billing", {})
    return Settings(
        home=home,
        bootstrap_servers=kafka or told.get("kafka", {}).get("bootstrap_servers"),
        user=_find_user(environ),
        seller=tuple(seller.items()),
        sample_days=int(days),
        memory_mib=int(memory),
        grace_hours=int(grace),
        adjust_months=int(months),
        expected_servers=tuple(dict.fromkeys(servers)),
        invoice_series=texts["invoice_series"],
        credit_series=texts["credit_note_series"],
        zero_invoices=texts["zero_invoices"],
        kafka=access,
        tax=tax,
    )


def _wrong_texts(values: Mapping[str, Any]) -> Iterator[Fault]:
    for key in ("invoice_series", "credit_note_series"):
        if not _SERIES.fullmatch(values[key]):
            yield Fault("SETTINGS_VALUE", f"billing.{key}", "must be 1 to 20 of A-Z, 0-9 and -")
    if values["invoice_series"] == values["credit_note_series"]:
        message = "must not be that of invoices: a number names one document"
        yield Fault("SETTINGS_VALUE", "billing.credit_note_series", message)
    if values["zero_invoices"] not in ("nil", "issue"):
        yield Fault("SETTINGS_VALUE", "billing.zero_invoices", "must be nil or issue")


def _wrong_seller(told: Mapping[str, Any]) -> Iterator[Fault]:
    if told:
        from edge.seller import wrong_seller  # noqa: PLC0415  takes as long as all else here

        yield from wrong_seller(told)


def _number(
    told: Mapping[str, Any], environ: Mapping[str, str], table: str, key: str, default: int
) -> str:
    """As it was told: by the environment, as text, or the file, as a number."""
    values = told.get(table, {})
    value = values.get(key, default) if isinstance(values, dict) else default
    return environ.get(f"HOMEMEETING_{table}_{key}".upper(), str(value))


def _names(
    told: Mapping[str, Any], environ: Mapping[str, str], table: str, key: str
) -> Sequence[Any]:
    """As they were told: by the environment, with commas between, or the file, as a list."""
    text = environ.get(f"HOMEMEETING_{table}_{key}".upper())
    if text is not None:
        return [name.strip() for name in text.split(",") if name.strip()]
    values = told.get(table, {})
    listed = values.get(key, []) if isinstance(values, dict) else []
    return listed if isinstance(listed, list) else []


def _no_servers(place: str, told: Sequence[Any]) -> list[Fault]:
    wrong = [str(one) for one in told if not (isinstance(one, str) and is_server(one))]
    message = "is no server id: 1 to 128 of A-Z a-z 0-9 _ . : @ + -"
    return [Fault("SETTINGS_VALUE", place, f"{name!r} {message}") for name in wrong]


def is_server(name: str) -> bool:
    """Whether a server may be called so."""
    return _SERVER.fullmatch(name) is not None


def _find_user(environ: Mapping[str, str]) -> str:
    """HOMEMEETING_USER, else the user of the operating system, who may have no name."""
    told = environ.get("HOMEMEETING_USER")
    if not told:
        try:
            return pwd.getpwuid(os.getuid()).pw_name
        except KeyError:
            return f"uid {os.getuid()}"
    if not told.isprintable() or not 1 <= len(told.strip()) <= _USER_MAX:
        message = f"HOMEMEETING_USER must be 1 to {_USER_MAX} printable characters"
        raise Refused("SETTINGS", message)
    return told.strip()


def _faults(told: Mapping[str, Any]) -> list[Fault]:
    found = []
    for table, values in told.items():
        if table not in _KEYS or not isinstance(values, dict):
            found.append(Fault("SETTINGS_KEY", table, f"known tables: {', '.join(_KEYS)}"))
            continue
        for key, value in values.items():
            place = f"{table}.{key}"
            kind = _KEYS[table].get(key)
            if place == "kafka.password":
                found.append(Fault("SETTINGS_SECRET", place, _NO_SECRETS))
            elif kind is None:
                found.append(Fault("SETTINGS_KEY", place, f"known: {', '.join(_KEYS[table])}"))
            elif not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):
                found.append(Fault("SETTINGS_TYPE", place, f"must be a {kind.__name__}"))
    return found


def _out_of_range(place: str, told: str, unit: str, bounds: tuple[int, int]) -> list[Fault]:
    least, most = bounds
    if told.isdecimal() and least <= int(told) <= most:
        return []
    return [Fault("SETTINGS_VALUE", place, f"must be whole {unit}, {least} to {most}")]
