"""Connected programs: what a permitted staff user lets another program receive or bring, field by field, until it ends (C28, C35)."""
