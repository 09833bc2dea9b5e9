"""Several machines: worker processes that die, sleep and lose their network, around one database and one cluster."""
