"""Load and endurance: much history, many clients, and processes that are killed. Traffic only to loopback."""
