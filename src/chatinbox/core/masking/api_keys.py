"""Keys of programs that somebody pasted: known by how their makers begin them, or by the lines around a private key.

What they begin with and the last four signs stay, so that their owner can tell which one has to be changed.
"""

import re
from collections.abc import Iterator

_KEY = re.compile(
    r"""(?<![A-Za-z0-9_-])(?:
      (?:sk|rk|pk|whsec)_(?:live|test)_(?=[A-Za-z0-9]{16})       # Stripe
    | whsec_(?=[A-Za-z0-9+/=]{24})                                # Stripe, Standard Webhooks
    | (?:AKIA|ASIA)(?=[A-Z0-9]{16}(?![A-Za-z0-9]))                # Amazon
    | gh[pousr]_(?=[A-Za-z0-9]{36}) | github_pat_(?=\w{40})       # GitHub
    | glpat-(?=[\w-]{20}) | npm_(?=[A-Za-z0-9]{36}) | pypi-(?=[\w-]{50})
    | xox[abprs]-(?=[A-Za-z0-9-]{20})                             # Slack
    | AIza(?=[\w-]{35}) | ya29\.(?=[\w-]{40})                     # Google
    | sk-(?=(?:ant-|proj-|svcacct-)?[\w-]*[0-9][\w-]{24})         # OpenAI, Anthropic
    | SG\.(?=[\w-]{22}\.[\w-]{43}) | key-(?=[0-9a-f]{32}(?![\w-]))  # SendGrid, Mailgun
    | eyJ(?=[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10})                 # a signed token (RFC 7519)
    )""",
    re.VERBOSE,
)
_REST = re.compile(r"[A-Za-z0-9_+/=.-]*[A-Za-z0-9_+/=-]")
_PRIVATE = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----([^-]{20,20000})-----END")


def api_keys(text: str) -> Iterator[int]:
    """Where the signs stand that are hidden."""
    for begun in _KEY.finditer(text):
        rest = _REST.match(text, begun.end())
        if rest:
            yield from range(rest.start(), rest.end() - 4)
    for block in _PRIVATE.finditer(text):
        yield from (at for at in range(*block.span(1)) if not text[at].isspace())
