"""The commands and their options, by subject. What they do lies in the modules they import when they run."""
