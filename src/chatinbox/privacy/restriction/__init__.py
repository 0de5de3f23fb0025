"""Setting a customer aside (GDPR Art. 18): their data is kept, and nothing else is done with it."""
