"""OpenID Connect: an issuer's metadata and keys, its tokens, and a browser's login by it. JOSE is PyJWT's."""
