"""Keeps what was measured and says whether it reaches its bar."""

from typing import Any


class Report:
    """`{name: {value, unit, limit, ratio, bar, ok}}`: `limit` is the reference in the same unit, `ratio` ours to it."""

    def __init__(self, quiet: bool, only: set[str] | None) -> None:
        self.values: dict[str, dict[str, Any]] = {}
        self.missed = 0
        self._quiet, self.only = quiet, only

    def wants(self, *names: str) -> bool:
        """Whether one of these measures was asked for."""
        return self.only is None or bool(self.only & set(names))

    def add(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        limit: float | None = None,
        at_least: float | None = None,
        at_most: float | None = None,
        by_ratio: bool = False,
        **more: Any,
    ) -> None:
        """Notes a measure. The bar is for the ratio to the reference with `by_ratio`, else for the value."""
        ratio = value / limit if limit else None
        judged = ratio if by_ratio else value
        bar = at_least if at_least is not None else at_most
        ok = None
        if judged is not None and bar is not None:
            ok = judged >= bar if at_least is not None else judged <= bar
        self.missed += ok is False
        rounded = {key: round(told, 3) if isinstance(told, float) else told for key, told in more.items()}
        self.values[name] = {
            "value": round(value, 3),
            "unit": unit,
            "limit": round(limit, 3) if limit else None,
            "ratio": round(ratio, 3) if ratio else None,
            "bar": bar,
            "ok": ok,
        } | rounded
        if not self._quiet:
            beside = f"  {ratio:.2f} of {limit:.0f}" if ratio and limit else ""
            sign = {None: "   ", True: "ok ", False: "NO "}[ok]
            extra = "  ".join(f"{key} {told}" for key, told in rounded.items())
            print(
                f"{sign}{name:28} {value:10.1f} {unit:6}{beside}  {f'bar {bar}' if bar is not None else ''}  {extra}",
                flush=True,
            )
