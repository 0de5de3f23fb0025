"""Ways in and out: a folder for each kind of channel, all of the same shape."""
