"""Nothing is collected, kept longer or passed on that no announcement speaks of: the registers against the newest one."""

import sys

sys.path.insert(0, "src")

from chatinbox.privacy.announce import unannounced


def main() -> int:
    new = unannounced()
    print("\n".join(new))
    if new:
        print('announce it: PYTHONPATH=src python -m chatinbox.privacy.announce "Title" "What changes"')
    return bool(new)


if __name__ == "__main__":
    raise SystemExit(main())
