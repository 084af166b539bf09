"""What the instrument shows at the end of a run, as a picture for readers without scripts."""

from __future__ import annotations

import json
from typing import Any

from actlib.palette import GREY, INKS
from website.instruments.instrument import HERE
from website.javascript import run

SIDE, GAP, TOP, RADIUS = 180, 20, 34, 2
_RUN = """
const runs = settings.map((setting) => {
  const run = new Run(setting, pointsOf(shared.data), shared);
  while (run.steps < STEPS) run.step();
  run.watch();
  const values = run.seen(PLANE).second.map((p) => 2 * p - 1);
  return { right: run.test.accuracy, border: border(values, GRID) };
});
const { x, labels } = pointsOf(shared.data).train;
console.log(JSON.stringify({ runs, labels, x: [...x].map((value) => (1 + value / REACH) / 2) }));
"""


def drawn(
    code: str, shared: dict[str, Any], settings: list[dict[str, Any]], names: list[str]
) -> tuple[str, str]:
    """Run these settings by the code; draw the points and what border each network puts there."""
    task = f"const shared = {json.dumps(shared)}; const settings = {json.dumps(settings)};"
    found = run(f"{code}{(HERE / 'train-draw.js').read_text('utf-8')}{task}{_RUN}")
    panels = [
        _panel(found, made, f"{letter}: {name}", (SIDE + GAP) * i)
        for i, (letter, name, made) in enumerate(zip("AB", names, found["runs"], strict=True))
    ]
    width, height = 2 * SIDE + GAP, TOP + SIDE
    svg = f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}">{"".join(panels)}'
    said = " ".join(
        f"{letter}, {name}, gets {made['right']:.1%} of the test points right and draws "
        f"{'a closed border around the disc' if made['border'] else 'no border at all'}."
        for letter, name, made in zip("AB", names, found["runs"], strict=True)
    )
    return (
        f"{svg}</svg>",
        f"Points in a disc and in a ring around it, as two networks separate them. {said}",
    )


def _panel(found: Any, made: Any, title: str, left: float) -> str:
    def place(x: float, y: float) -> str:
        return f"{left + SIDE * x:.1f} {TOP + SIDE * y:.1f}"

    pairs = zip(found["x"][::2], found["x"][1::2], found["labels"], strict=True)
    shapes: list[str] = ["", ""]
    for x, y, label in pairs:
        shapes[label] += f"M{place(x, 1 - y)}h0"
    dots = "".join(
        f'<path d="{shape}" stroke="{ink}" stroke-width="{2 * RADIUS}" stroke-linecap="{cap}"/>'
        for shape, ink, cap in zip(shapes, INKS[0], ("round", "square"), strict=True)
    )
    border = "".join(f"M{place(*start)}L{place(*end)}" for start, end in made["border"])
    return (
        f'<text x="{left}" y="12" font-size="10" fill="{GREY}">{title}</text>'
        f'<text x="{left}" y="26" font-size="10" fill="{GREY}">{made["right"]:.1%} right</text>'
        f'<rect x="{left + 0.5}" y="{TOP}" width="{SIDE - 1}" height="{SIDE - 1}" fill="none" '
        f'stroke="{GREY}"/>{dots}<path d="{border}" fill="none" stroke="{GREY}" stroke-width="2"/>'
    )
