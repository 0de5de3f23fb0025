"""Languages: what the house says in English, said in another one. A language is one file, `ui/languages/<code>.po`."""
