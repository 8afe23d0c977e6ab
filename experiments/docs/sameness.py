"""Is what a program printed what a page shows? The rules of the pages, in one place.

- A line `...` stands for any number of lines. Several spaces are one.
- Times, the eight digits at the end of a run's name, and numbers below 0.01 with an exponent are not
  compared.
- A number with a point may differ by a tenth of it, or by two units of its last digit, and a percentage by one point
  more: processors round differently, and a training carries that on.
- A whole number is compared exactly; in a block `console` it too may differ, by a tenth of it or by three.
"""

import re

NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?%?(?!\.?\w)|\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?%?")
TIME = re.compile(r"\d[\d,.]*(?:e-\d+)? ?(?:s|ms|us|µs|min|seconds?|minutes?)\b")


def difference(shown: str, printed: str, console: bool) -> str:
    """What differs, in a line or two; nothing if the page is right."""
    parts = [part.splitlines() for part in re.split(r"^\.\.\.\n?", shown, flags=re.M)]
    lines = printed.splitlines()
    if len(parts) == 1:
        return first_difference(parts[0], lines, console)
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        starts = [0] if number == 0 else [max(len(lines) - len(part), 0)] if last else range(len(lines) + 1)
        found = next((at for at in starts if not first_difference(part, lines[at : at + len(part)], console)), None)
        if found is None:
            where = "at the start" if number == 0 else "at the end" if last else f"after {'...'!r}"
            wrong = (
                first_difference(part, lines[starts[0] :], console) if number == 0 or last else f"  shown   {part[0]}"
            )
            return f"{where}:\n{wrong}"
        lines = lines[found + len(part) :]
    return ""


def first_difference(shown: list[str], printed: list[str], console: bool) -> str:
    """The first pair of lines that differ."""
    for number in range(max(len(shown), len(printed))):
        pair = [lines[number] if number < len(lines) else "(nothing)" for lines in (shown, printed)]
        if not same_line(*pair, console=console):
            return f"  shown   {pair[0]}\n  printed {pair[1]}"
    return ""


def same_line(shown: str, printed: str, console: bool) -> bool:
    """Whether two lines have the same words and numbers that are close."""
    words, numbers = zip(*(taken_apart(line) for line in (shown, printed)), strict=True)
    return words[0] == words[1] and all(close(*pair, console=console) for pair in zip(*numbers, strict=True))


def taken_apart(line: str) -> tuple[str, list[str]]:
    """A line with `#` in place of each number, and the numbers."""
    line = re.sub(r"-[0-9a-f]{8}\b", "-(id)", TIME.sub("(time)", " ".join(line.split())))
    line = re.sub(r"(?<= )\.(?= |$)", "0", line)  # a table of counts has a point in place of a 0
    return NUMBER.sub("#", line), NUMBER.findall(line)


def close(shown: str, printed: str, console: bool) -> bool:
    """Whether two numbers are the same, as far as a page promises."""
    if shown.endswith("%") != printed.endswith("%"):
        return False
    a, b = (float(text.replace(",", "").rstrip("%")) for text in (shown, printed))
    largest, more = max(abs(a), abs(b)), 1.0 * shown.endswith("%")
    if "e-" in shown + printed and largest < 0.01:
        return True
    if "." in shown or "." in printed or "e" in shown or more:
        return abs(a - b) <= max(0.1 * largest, 2.5 * last_digit(shown.rstrip("%"))) + more
    return a == b or (console and abs(a - b) <= max(0.1 * largest, 3))


def last_digit(text: str) -> float:
    """The value of a unit of the last digit."""
    digits, _, exponent = text.partition("e")
    return 10.0 ** (int(exponent or 0) - len(digits.partition(".")[2]))
