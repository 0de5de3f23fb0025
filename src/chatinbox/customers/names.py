"""What a customer is called on a page, and the colour of their face."""

from uuid import UUID


def shown_name(name: str | None, address: str | None, customer_id: UUID) -> str:
    """Their name, else the start of their address, else `Visitor` and four letters of their id."""
    if name and name.strip():
        return name.strip()
    if address:
        return address.split("@", 1)[0]
    return f"Visitor {customer_id.hex[-4:]}"


def hue(subject_id: UUID) -> int:
    """A steady colour for a face or a tag: 0 to 359 degrees."""
    return int.from_bytes(subject_id.bytes[-2:]) % 360
