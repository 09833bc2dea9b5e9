"""The cleanup journal: each write is recorded before it is sent, under the lease of the task."""
