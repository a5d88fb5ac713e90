"""Documents of a frozen invoice: a pure function of it, byte for byte.

Owns what an invoice looks like; computes nothing that stands on it. Its modules are imported by
name: who asks whether a document can be an electronic invoice loads nothing that prints.
"""
