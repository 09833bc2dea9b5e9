"""An explicit-state model of the cleanup journal, leases and late requests (design §4 and §6).

One object, two tasks of one application, two workers, and every fault that may happen in between. `python -m model`
searches every order of these steps. Read in this order: rules, state, server, steps, worker, removal, world, promise,
search. `holds` is a model of its own.
"""
