"""The requests of the API, each a function that makes one. The methods of a client are these."""
