"""The field types of the kinds served, a table a group. The notation is explained in ``kubesim.admit.schema``."""

from kubesim.admit.tables import apps, core, extensions, meta, others, pods

__all__ = ["TABLES"]

TABLES = (meta.TABLE, pods.TABLE, core.TABLE, apps.TABLE, others.TABLE, extensions.TABLE)
