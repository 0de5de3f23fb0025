"""The programme: every step of every thread with its time, in the order in which they happened."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chatinbox.app.demo.composed import composed_threads
from chatinbox.app.demo.script import STAFF, Step, Thread, written_threads
from chatinbox.app.demo.stage import Scene
from chatinbox.app.demo.times import resolve, until


@dataclass(frozen=True, slots=True)
class Cue:
    """One step of one scene at its time. `scene` is None when a snooze ends, which concerns the whole account."""

    at: datetime
    scene: Scene | None
    step: Step
    until: datetime | None = None


def programme(now: datetime, threads: Sequence[Thread] | None = None) -> tuple[list[Scene], list[Cue]]:
    """All scenes, and their cues sorted by time; the last is before `now`."""
    scenes = [Scene(thread) for thread in threads or (*written_threads(), *composed_threads())]
    cues = [cue for scene in scenes for cue in _cues(scene, now)]
    return scenes, sorted(cues, key=lambda cue: cue.at)


def _cues(scene: Scene, now: datetime) -> Iterator[Cue]:
    steps = _with_tags(scene.thread)
    for step, at in zip(steps, resolve((step.when for step in steps), now), strict=True):
        end = until(step.until, at, now) if step.until else None
        yield Cue(at, scene, step, end)
        if end and end < now:
            yield Cue(end + timedelta(seconds=5), None, Step("", "wake", ""))


def _with_tags(thread: Thread) -> list[Step]:
    """The steps, with the thread's tags put on by the first of the staff who turns to it, just before anything else."""
    steps = list(thread.steps)
    tags = [Step("freja", "tag", "+20s", about=tag) for tag in thread.tags]
    first = next((at for at, step in enumerate(steps) if step.who in STAFF), None)
    if first is None or not tags:
        return [*steps, *tags]
    tags = [replace(tag, who=steps[first].who) for tag in tags]
    tags[0] = replace(tags[0], when=steps[first].when)
    return [*steps[:first], *tags, replace(steps[first], when="+40s"), *steps[first + 1 :]]
