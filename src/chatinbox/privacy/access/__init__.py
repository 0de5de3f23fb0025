"""The access ledger: what `accounts/access.py` wrote, as a chain (`privacy/chain`). Its rows carry ids and commitments; whom they
were about stands beside them and can be erased without the chain noticing (clause C52).
"""
