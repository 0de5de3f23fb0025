"""The words of the house: none of the banned ones is a name in the code, and no file name is one."""

import ast
import re
from pathlib import Path

BANNED = re.compile(r"(^|_)(ticket|contact|agent|tenant|helper|utils?|manager|service)s?(_|$)", re.IGNORECASE)
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
ALLOWED = {"contextmanager", "asynccontextmanager", "job_manager", "user_agent"}


def names(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
    return found


def main() -> int:
    bad = []
    for file in sorted([*Path("src").rglob("*.py"), *Path("promises").rglob("*.py")]):
        for name in names(ast.parse(file.read_text())) | {file.stem, file.parent.name}:
            plain = CAMEL.sub("_", name)
            if BANNED.search(plain) and name not in ALLOWED:
                bad.append(f"{file}: {name}")
    print("\n".join(bad))
    return bool(bad)


if __name__ == "__main__":
    raise SystemExit(main())
