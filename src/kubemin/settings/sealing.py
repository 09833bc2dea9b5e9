"""With which keys secrets are sealed in the database."""

from pydantic import BaseModel, ConfigDict, Field


class SealingSettings(BaseModel):
    """Keys come from one of the three; without any, secrets are stored in plain text. Times are seconds."""

    model_config = ConfigDict(frozen=True)

    encryption_keys: str = Field(default="", repr=False)
    """Keys that seal secrets in the database: `<id>=<base64 of 32 bytes>`, separated by commas. The first one seals,
    all of them open. `kubemin key generate` makes one.
    """
    encryption_key_file: str = ""
    """A file with such keys, one a line; others must not be able to read it."""
    encryption_key_command: str = ""
    """A program, with its arguments, that prints such lines: it asks a key management service."""
    encryption_key_command_seconds: float = Field(default=30, gt=0)
    """Time limit of that program."""
    core_dumps: bool = False
    """A process that ends by a fault may leave its memory, with the secrets in it, in a file; and debuggers and
    profilers of its own user may look into it.
    """
    rotate_keys: bool = True
    """A server seals anew in the background what is in plain text or under another key than the first."""
