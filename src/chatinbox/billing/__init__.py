"""Billing: plans by seat, the bill before you buy, and the payment provider. Nothing of it exists where it is not configured."""
