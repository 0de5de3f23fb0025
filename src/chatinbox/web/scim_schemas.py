"""What we say of ourselves in SCIM (RFC 7643 §5 to §7): users and groups, without bulk, sorting or passwords."""

from typing import Any

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_CORE = "urn:ietf:params:scim:schemas:core:2.0:"

CONFIG: dict[str, Any] = {
    "schemas": [f"{_CORE}ServiceProviderConfig"],
    "patch": {"supported": True},
    "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
    "filter": {"supported": True, "maxResults": 100},
    "changePassword": {"supported": False},
    "sort": {"supported": False},
    "etag": {"supported": False},
    "authenticationSchemes": [
        {
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "Made in Settings, Single sign-on",
        }
    ],
}

TYPES: list[dict[str, Any]] = [
    {"schemas": [f"{_CORE}ResourceType"], "id": "User", "name": "User", "endpoint": "/Users", "schema": USER},
    {
        "schemas": [f"{_CORE}ResourceType"],
        "id": "Group",
        "name": "Group",
        "endpoint": "/Groups",
        "schema": GROUP,
    },
]


def _attribute(name: str, kind: str, change: str, required: bool = False, **more: Any) -> dict[str, Any]:
    return {
        "name": name, "type": kind, "multiValued": False, "required": required, "mutability": change,
        "returned": "default", "caseExact": False, "uniqueness": "server" if name == "userName" else "none",
    } | more  # fmt: skip


SCHEMAS: list[dict[str, Any]] = [
    {
        "schemas": [f"{_CORE}Schema"],
        "id": USER,
        "name": "User",
        "description": "Somebody who works in the account",
        "attributes": [
            _attribute("userName", "string", "immutable", required=True),
            _attribute("displayName", "string", "immutable"),
            _attribute(
                "name",
                "complex",
                "immutable",
                subAttributes=[
                    _attribute(n, "string", "immutable") for n in ("formatted", "givenName", "familyName")
                ],
            ),
            _attribute(
                "emails",
                "complex",
                "readOnly",
                multiValued=True,
                subAttributes=[_attribute("value", "string", "readOnly")],
            ),
            _attribute("active", "boolean", "readWrite"),
        ],
    },
    {
        "schemas": [f"{_CORE}Schema"],
        "id": GROUP,
        "name": "Group",
        "description": "A team of the account",
        "attributes": [
            _attribute("displayName", "string", "readWrite", required=True),
            _attribute(
                "members",
                "complex",
                "readWrite",
                multiValued=True,
                subAttributes=[_attribute("value", "string", "immutable")],
            ),
        ],
    },
]
