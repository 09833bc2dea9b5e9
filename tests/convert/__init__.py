"""Tests of the room `convert`."""
