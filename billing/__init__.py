"""Billing: accounts, price books, rating, invoices and their documents.

Owns everything that turns usage into money. Reads usage, never writes it.
"""

from billing.accounts import (
    Account,
    AccountFile,
    Subscription,
    effective_history,
    merge_history,
    parse_accounts,
)
from billing.books import Catalogue, import_accounts, load_catalogue, load_price_book, open_books
from billing.closing import Closing
from billing.document import documents
from billing.invoices import (
    find_invoice,
    list_heads,
    list_invoices,
    run_invoices,
)
from billing.layout import Layout, lay_out
from billing.money import decimal_text, round_half_up, round_money
from billing.month import Month, parse_month
from billing.period import Period, Stretch, month_period, stretches
from billing.pricebook import Charge, Fee, Plan, PriceBook, Rounding, Tier
from billing.pricebook_check import parse_price_book
from billing.record_check import Finding
from billing.verification import LogRecords, LogWanted, Verification, verify_documents

__all__ = [
    "Account",
    "AccountFile",
    "Catalogue",
    "Charge",
    "Closing",
    "Fee",
    "Finding",
    "Layout",
    "LogRecords",
    "LogWanted",
    "Month",
    "Period",
    "Plan",
    "PriceBook",
    "Rounding",
    "Stretch",
    "Subscription",
    "Tier",
    "Verification",
    "decimal_text",
    "documents",
    "effective_history",
    "find_invoice",
    "import_accounts",
    "lay_out",
    "list_heads",
    "list_invoices",
    "load_catalogue",
    "load_price_book",
    "merge_history",
    "month_period",
    "open_books",
    "parse_accounts",
    "parse_month",
    "parse_price_book",
    "round_half_up",
    "round_money",
    "run_invoices",
    "stretches",
    "verify_documents",
]
