"""Reports about staff: a file a report, counted inside one account and compared with nothing outside it (C22, C23)."""
