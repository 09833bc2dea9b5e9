"""Who runs tasks: the worker and its leases, the scope that a cancel ends, a task from start to end, the reaper."""
