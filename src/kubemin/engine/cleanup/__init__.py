"""Undoing and removing: rollback of a task that did not complete, removal of what a completed one dropped."""
