"""Journeys: the product as its users meet it — the real program, a real browser, real mail."""
