"""One spelling of an object, so that anybody who hashes or verifies it has the same bytes."""

import json
from typing import Any


def canonical(told: dict[str, Any]) -> bytes:
    """RFC 8785 for objects of text, lists, truth values and whole numbers."""
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
