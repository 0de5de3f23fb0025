"""What left, as a chain (`privacy/chain`): each row of the account's ledger twice, as it was written and as it ended."""
