"""A copy of everything about one customer, for them: asked for, made by a job, sealed, handed over once, gone after seven days
(GDPR Art. 15 and 20).
"""
