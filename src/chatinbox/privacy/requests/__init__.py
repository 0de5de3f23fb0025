"""The request desk: a customer comes to us directly, shows that the mailbox is theirs, and each business concerned is asked on
its own (clauses C57, C61 to C63).

`link` asks at the mailbox, `carry` goes from account to account with what was wished, `go_on` moves an account's own cases.
Only `carry` sees more than one account, one after the other, and it keeps nothing of what it saw.
"""
