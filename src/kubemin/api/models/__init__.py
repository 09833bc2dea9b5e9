"""Requests and replies as the wire spells them."""
