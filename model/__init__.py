"""An explicit-state model of the cleanup journal, leases and late requests (design §4 and §6).

One object, two tasks of one application, two workers, and everything that may go wrong in between. `python -m model`
searches all of it. Read in this order: rules, state, server, worker, world, promise, search.
"""
