"""Moving the root key to another keeper. Nothing of the old one goes before the new one was read back; broken off anywhere, the
same command goes on.
"""

from pathlib import Path

from chatinbox.core.root.keep import Keeper, destroy, write
from chatinbox.core.trouble import Trouble


def move(data: Path, old: Keeper, new: Keeper) -> bool:
    """Moves it from one keeper to another; False where it is there already. The key stays the same. Raises Trouble."""
    source, target = data / "keys" / old.file, data / "keys" / new.file
    if not source.exists():
        if not target.exists():
            raise Trouble(f"There is no root key in {source.parent}. Name the data folder with --data.")
        new.unwrap(target.read_bytes())
        return False
    raw = old.unwrap(source.read_bytes())
    if not target.exists():
        write(target, new.wrap(raw))
    if new.unwrap(target.read_bytes()) != raw:  # asked anew, from the disk
        raise Trouble(
            f"{target} and {source} hold different keys, so nothing was removed. Which one is right, only you know: the one"
            " of this installation opens it. Move the other one away, and say it again."
        )
    destroy(source)
    return True
