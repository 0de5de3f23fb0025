"""Charts, drawn here as shapes without words; the words stand around them in HTML. Scale from zero, five lines at most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from chatinbox.web.reports.words import weekday

_HEIGHT, _WIDTH = 200.0, 700.0
_STEPS = (1, 1.5, 2, 2.5, 3, 4, 5, 7.5)


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars by day: the shapes, the words of the scale from the top, the words below."""

    shapes: Markup
    scale: list[str]
    below: list[str]


def bars(days: Sequence[date], series: Sequence[Sequence[float]], told: Sequence[str]) -> Bars:
    """One or two series over days; `told` says each day in words, for whoever points at it."""
    top = ceiling(max([0.0, *(value for one in series for value in one)]))
    slot = _WIDTH / max(1, len(days))
    gap = min(slot * 0.16, 8)
    wide = min((slot - 2 * gap) / len(series), 28)
    shapes = [
        Markup('<path class="grid" d="M0 {} H{:g}"/>').format(_HEIGHT * n / 4, _WIDTH) for n in range(5)
    ]
    for at, words in enumerate(told):
        left = at * slot + (slot - wide * len(series)) / 2
        rects = [
            Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
                "s1" if n == len(series) - 1 else "s2",
                left + n * wide,
                _HEIGHT * (1 - one[at] / top),
                max(0.5, wide - 1),
                _HEIGHT * one[at] / top,
            )
            for n, one in enumerate(series)
        ]
        shapes.append(Markup("<g><title>{}: {}</title>{}</g>").format(weekday(days[at]), words, _join(rects)))
    scale = [f"{top * n / 4:g}" for n in (4, 3, 2, 1, 0)]
    return Bars(_join(shapes), scale, _below(days))


def ceiling(most: float) -> float:
    """The scale's top: four steps of a round number, not below what is to be shown. At least 4."""
    size = 1.0
    while True:
        for step in _STEPS:
            if step * size == int(step * size) and 4 * step * size >= most:
                return 4 * step * size
        size *= 10


def _below(days: Sequence[date]) -> list[str]:
    shown = (
        days if len(days) <= 7 else [days[round(n * (len(days) - 1) / 4)] for n in range(5)] if days else []
    )
    return [f"{day:%-d %b}" for day in shown]


def heat(values: Mapping[tuple[int, int], int], told: Mapping[tuple[int, int], str]) -> Markup:
    """A week by hours, Monday first: one hue in five steps, none is neutral."""
    most = max([0, *values.values()])
    cells = []
    for day in range(1, 8):
        for hour in range(24):
            value = values.get((day, hour), 0)
            step = 0 if not value else min(5, 1 + int(5 * value / (most + 1)))
            cells.append(
                Markup(
                    '<rect class="h{}" x="{}" y="{}" width="9.4" height="26" rx=".6"><title>{}</title></rect>'
                ).format(step, hour * 10, (day - 1) * 28, told.get((day, hour), ""))
            )
    return _join(cells)


def bar(value: float, most: float) -> Markup:
    """A single bar beside a number, of a hundred."""
    wide = round(100 * value / most) if most else 0
    return Markup('<rect width="{}" height="8"/>').format(wide)


def _join(parts: Sequence[Markup]) -> Markup:
    return Markup("").join(parts)
