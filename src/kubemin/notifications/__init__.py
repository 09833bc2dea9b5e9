"""Telling people and programs what happened: from the outbox to targets that the operator names.

Nothing of a task's life waits for it: a row is written in the transaction in which something happens
(``store.outbox``), and servers deliver beside (`deliverer`). Imported only where targets are configured.
"""
