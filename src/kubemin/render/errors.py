"""Errors of rendering."""


class RenderError(Exception):
    """The application cannot be rendered: it was not checked."""
