"""Facts about objects in the cluster: who owns which field, three-way merge, differences, what controllers made."""
