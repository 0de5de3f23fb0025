"""What a staff user is told by letter, and when: only what they chose, only while they are away, seldom, in numbers alone."""
