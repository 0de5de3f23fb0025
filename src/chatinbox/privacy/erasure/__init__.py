"""Erasing a customer for good: asked for, done by a job that goes on where it was, told by a signed receipt (GDPR Art. 17)."""
