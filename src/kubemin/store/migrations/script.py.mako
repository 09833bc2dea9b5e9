"""${message}

Revises ${down_revision | comma,n}.
"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Go forward. Code of the revision before must still work afterwards, within one major."""
    ${upgrades if upgrades else "pass"}
