"""`speed.html`: what was measured, as a table and figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.speed.growth import FIGURES, KINDS
from benchmarks.speed.measuring import Comparison, summary

from emodag.pages.drawing import FAINT, MAIN, SERIES, Figure, Values, axes_of, settings
from emodag.pages.page_parts import Table, render


def page(comparisons: Sequence[Comparison], machine: Mapping[str, str]) -> str:
    """The page, one file that needs nothing else."""
    return render(
        "speed.html",
        {"speed.html": Path(__file__).with_name("speed.html").read_text(encoding="utf-8")},
        title="How fast emodag is",
        machine=f"{'; '.join(f'{name}: {value}' for name, value in machine.items())}.",
        rows=table(comparisons),
        figures=[
            figure
            for one in comparisons
            for figure in (growth_figures(one) if "along" in one.facts else cost_figures(one))
        ],
    )


def table(comparisons: Sequence[Comparison]) -> Table:
    """A row per comparison: what the goal speaks of, and what everything took."""
    rows = []
    for one in comparisons:
        reached = {True: "yes", False: "no", None: ""}[one.reached]
        took = "; ".join(
            f"{who}: {summary([cost.wall for cost in costs], 's')} ({share(costs)})"
            for who, costs in one.costs.items()
        )
        figure = f"{summary(one.ratios, digits=3)} ({one.ratio})" if one.ratios else ""
        rows.append([one.name, one.what, figure, one.goal, reached, took])
    return Table(
        "Median [least, most]",
        ["", "what", "measured", "goal", "reached", "wall seconds (CPU / wall)"],
        rows,
    )


def share(costs: Sequence[Any]) -> str:
    """CPU over wall time: how many cores a contender really had."""
    return f"{median(cost.cpu / cost.wall for cost in costs):.2f}"


def cost_figures(one: Comparison) -> list[Figure]:
    """A bar per contender, a dot per round."""
    if len(one.costs) < 2:
        return []
    values = Values(f"speed {one.name}", "contender", "median wall seconds")
    with settings(f"speed-{one.name}"):
        figure, axes = axes_of(0.8 + 0.35 * len(one.costs))
        for row, costs in enumerate(one.costs.values()):
            walls = [cost.wall for cost in costs]
            mark = values.mark([*one.costs][row], median(walls))
            axes.barh(row, median(walls), color=MAIN, height=0.5, **mark)
            axes.plot(walls, [row] * len(walls), "o", color=FAINT, markersize=3.5)
        axes.set_yticks(range(len(one.costs)), list(one.costs))
        axes.set_ylim(len(one.costs) - 0.5, -0.5)
        axes.set_xlabel("wall seconds")
        said = "; ".join(
            f"{who}: {summary([c.wall for c in costs], 's')}" for who, costs in one.costs.items()
        )
        return [values.figure(figure, said, f"{one.name}: {one.what}")]


def growth_figures(one: Comparison) -> list[Figure]:
    """Time and memory over the rows, or over the features."""
    along, points = one.facts["along"], one.facts["points"]
    figures = []
    for what, label in zip(FIGURES, ("CPU seconds", "peak memory, MB"), strict=True):
        values = Values(f"growth {along} {what}", "kind", along, label)
        with settings(f"speed-growth-{along}-{what}"):
            figure, axes = axes_of(3.2)
            sizes = [point[along] for point in points]
            for kind, colour in zip(KINDS, SERIES, strict=False):
                found = [point[kind][what] for point in points]
                axes.plot(sizes, found, color=colour, linewidth=1.2, label=kind)
                for size, value in zip(sizes, found, strict=True):
                    mark = values.mark(kind, size, value)
                    axes.plot([size], [value], "o", color=colour, markersize=4, **mark)
            axes.set_xlim(left=0)
            axes.set_ylim(bottom=0)
            axes.set_xlabel(along)
            axes.set_ylabel(label)
            axes.legend(frameon=False)
            told = "; ".join(
                f"{name} {value:.3f}" for name, value in one.facts["found"].items() if what in name
            )
            caption = f"{label} over the {along}; {one.ratio}: {told}."
            figures.append(values.figure(figure, caption, caption))
    return figures
