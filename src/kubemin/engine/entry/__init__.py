"""What callers ask of the engine: run, cancel, remove, preview, find orphans, tell how components do."""
