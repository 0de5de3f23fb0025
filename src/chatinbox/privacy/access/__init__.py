"""The access ledger: what `accounts/access.py` wrote, chained per account, with signed heads handed to the account (clause C52).

A chain alone shows no cut at its end and no older copy put in its place. The heads do: an account that keeps one outside
our reach holds what the whole chain up to then must still lead to. Rows carry ids and commitments; whom they were about
stands beside them and can be erased without the chain noticing.
"""
