"""The demo business: Halden Ceramics, its staff, its customers and sixty days of what they wrote."""
