"""Audit: from an invoice back to the events in the log, and whether they still agree.

The one package that reads upstream: it replays the log through the projector into another store and
compares, and reads the events of a record where they lie. Decides nothing about money and changes
no event. What reads the log is imported by who does: that takes a tenth of a second.
"""
