"""Sealing what may hold secrets before it is stored: keys, and the one form that a sealed text has.

The library that encrypts is imported by `sealer` only, which a server without a key does not import.
"""
