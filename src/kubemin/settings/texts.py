"""Settings that are a text, or the path of a file with one."""

from pathlib import Path


def text_of(given: str) -> str:
    """The YAML or JSON that is given, or that of the file that is named. `ValueError` if that cannot be read.

    No path has the end of a line or a colon with a blank behind it, or begins like a list or a mapping. The error
    repeats nothing of what is given, which may hold a secret.
    """
    if not given or "\n" in given or ": " in given or given.lstrip().startswith(("[", "{", "-")):
        return given
    try:
        return Path(given).read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"the file cannot be read: {error.strerror}") from None
    except UnicodeError:
        raise ValueError("the file cannot be read: it is not UTF-8 text") from None
