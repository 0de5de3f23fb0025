"""The docs tell of files that exist: every path in backticks or a link of README and docs/ is there."""

import re
from pathlib import Path

SPOKEN = re.compile(
    r"`((?:src|schema|ui|docs|bin|bench|checks|journeys|promises|requirements|\.ci)/[\w./-]*)`|\]\((?!https?:|#|mailto:)([^)#\s]+)"
)


def main() -> int:
    missing = []
    for page in [*Path().glob("*.md"), *Path("docs").rglob("*.md")]:
        for in_code, in_link in SPOKEN.findall(page.read_text()):
            target = Path(in_code) if in_code else page.parent / in_link
            if not target.exists():
                missing.append(f"{page}: {in_code or in_link}")
    print("\n".join(missing))
    return bool(missing)


if __name__ == "__main__":
    raise SystemExit(main())
