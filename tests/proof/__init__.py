"""The proof: random applications, random faults, and after each run the invariant (issue 5)."""
