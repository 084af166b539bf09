"""Pictures that stand for a page in a link's preview."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure

from actlib import relu, sigmoid, tanh


def draw(title: str, book: str, file: Path) -> None:
    """Write a picture of 1200 x 630 pixels with the title of a page and of the book."""
    figure = Figure(figsize=(12, 6.3), dpi=100, facecolor="white")
    axes = figure.add_axes((0.05, 0.08, 0.9, 0.4))
    z = np.linspace(-4, 4, 801)
    for activation, color in [(sigmoid, "#0b5394"), (tanh, "#6d28d9"), (relu, "#c2410c")]:
        axes.plot(z, activation(z), color=color, linewidth=6)
    axes.set(ylim=(-1.1, 1.6), xlim=(-4, 4))
    axes.axis("off")
    figure.text(0.06, 0.9, fill(title, 34), fontsize=44, va="top", weight="bold", color="#111")
    figure.text(0.06, 0.05, book, fontsize=24, color="#444")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file)
