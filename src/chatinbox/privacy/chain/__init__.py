"""Chains: a ledger of an account as rows that each carry the hash of the one before, with signed heads handed to the account
(clause C52). Two ledgers are kept so: who looked (`privacy/access`) and what left (`privacy/left`).

A chain alone shows no cut at its end and no older copy put in its place. The heads do: an account that keeps one outside
our reach holds what the whole chain up to then must still lead to.
"""
