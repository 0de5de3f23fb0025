"""The glass box: what somebody who works for the operator may look at, what they looked at, and who was told (C34, C40)."""
