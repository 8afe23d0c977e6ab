"""A graph of gates as a drawing: circles and arrows, at each circle its value above, its delta below."""

from fnn.lessons import graphs
from fnn.plots import curves

SIGNS = {"multiply": "×", "add": "+", "square": "x²", "sigmoid": "σ", "log": "ln", "reciprocal": "1/x"}


def columns(order, y):
    """For each node the number of gates between it and the last one, the longest way."""
    far = {y: 0}
    for node in reversed(order):
        for x in node.inputs:
            far[x] = max(far.get(x, 0), far[node] + 1)
    return far


def places(order, y):
    """Where each node stands: inputs at the left, the last node at the right, a node level with its inputs' middle."""
    far = columns(order, y)
    leaves = [node for node in order if not node.inputs]
    height = {node: float(-k) for k, node in enumerate(leaves)}
    for node in order:
        if node.inputs:
            height[node] = sum(height[x] for x in node.inputs) / len(node.inputs)
    return {node: (float(max(far.values()) - far[node]), height[node]) for node in order}


def draw(axes, y, values):
    """Draw the graph that ends in `y`, with the values and the deltas of its gates."""
    order = graphs._ordered(y)
    outputs = graphs._outputs(order, values)
    deltas = graphs._deltas(order, outputs)
    at = places(order, y)
    for node in order:
        for x in node.inputs:
            arrow = {"arrowstyle": "-|>", "lw": 2, "color": "0.4", "shrinkA": 24, "shrinkB": 24}
            axes.annotate("", at[node], at[x], arrowprops=arrow)
    for node in order:
        name = graphs._name(node)
        face = "0.92" if node.inputs else "white"
        axes.plot(*at[node], "o", ms=44, mfc=face, mec="black", mew=1.8)
        axes.annotate(SIGNS.get(name, name), at[node], ha="center", va="center")
        sides = ((0, 30), (0, -30)) if node.inputs else ((-30, 10), (-30, -10))  # of an input: at its left
        for label, offset, colour in zip((outputs[node], deltas[node]), sides, (0, 1), strict=True):
            place = {"xytext": offset, "textcoords": "offset points", "color": curves.PALETTE[colour]}
            where = {"ha": "center" if node.inputs else "right", "va": "bottom" if offset[1] > 0 else "top"}
            axes.annotate(f"{float(label):.3g}", at[node], **place, **where)
    across, down = zip(*at.values(), strict=True)
    axes.set(xlim=(-0.6, max(across) + 0.5), ylim=(min(down) - 0.7, max(down) + 0.7))
    axes.axis("off")
