"""Going forward: namespaces, pre-flight, stages, jobs; each job writes one object and waits until it is ready."""
