"""The privacy policy as an executable specification: a promise a file.

A file's docstring is the public sentence, word for word. `CLAUSES` names the clauses it covers. `look_…` reads an
installation that may be somebody's own and changes nothing; `proof_…` plays a story on a throw-away installation;
`saboteur_…` takes the mechanism away there, and then a look or a proof of the file must say that the promise is broken.
`bin/chatinbox prove` runs them (`promises/run.py`).
"""
