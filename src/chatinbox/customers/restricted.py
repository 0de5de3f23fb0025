"""Who is set aside (GDPR Art. 18): kept, and nothing else done with it, unless staff say so each time.

Whatever reads customers to do something with them adds `FREE` to its condition. Which those are is listed, and tested one by
one, in `privacy/restriction/paths.py`.
"""

FREE = (
    " and not exists (select from customer aside where aside.account_id = c.account_id and aside.id = c.customer_id"
    " and aside.restricted_at is not null)"
)
"""Added to a condition on conversations `c`: none of somebody who is set aside."""
