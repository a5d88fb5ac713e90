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
from billing.money import decimal_text, round_half_up, round_money
from billing.period import Period, Stretch, month_period, stretches
from billing.pricebook import Charge, Fee, Plan, PriceBook, Rounding, Tier
from billing.pricebook_check import parse_price_book

__all__ = [
    "Account",
    "AccountFile",
    "Charge",
    "Fee",
    "Period",
    "Plan",
    "PriceBook",
    "Rounding",
    "Stretch",
    "Subscription",
    "Tier",
    "decimal_text",
    "effective_history",
    "merge_history",
    "month_period",
    "parse_accounts",
    "parse_price_book",
    "round_half_up",
    "round_money",
    "stretches",
]
