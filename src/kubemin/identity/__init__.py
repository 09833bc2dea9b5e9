"""Who asks, and what they may: roles and grants, API tokens, an issuer's tokens, sessions of browsers, rate limits.

It knows the database and no HTTP server; the API asks it, and says its errors.
"""
