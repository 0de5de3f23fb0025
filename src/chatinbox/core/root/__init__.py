"""The root key: 32 bytes from which the installation's own secrets are derived, and which wrap the keys of accounts and people.

It is kept in the data folder, either as it is (`keep.py`) or wrapped by a keyholder outside (`keyholder.py`); a start takes it
into memory, and from then on it is the same key.
"""
