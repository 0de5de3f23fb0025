"""Search: keyed word tokens beside the sealed words. `tokens` makes them, `index` writes them, `find` asks."""
