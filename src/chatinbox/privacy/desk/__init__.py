"""The desk where courts and authorities are answered, and where a danger is averted: cases, what is released, how many (C37, C38)."""
