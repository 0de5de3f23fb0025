"""Signing in with one's company: OpenID Connect, the domains that belong to an account, and who arrives as whom."""
