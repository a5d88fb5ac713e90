"""Audit: from an invoice back to the events in the log, and whether they still agree.

Reads the log, the usage store, the books and the evidence; writes nothing in any of them.
"""
