"""Tables as people have them, made from a seed: their columns, and what a trained network has to find in them."""

import csv
import datetime

import numpy as np


def write(path, header, rows):
    """The table as a csv file; returns its path."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return str(path)


def customers(path, n=400, seed=0):
    """An id, two columns of text, blanks, and about one in eight who left, by contract, months and fee."""
    rng, rows = np.random.default_rng(seed), []
    for k in range(n):
        months, fee = int(rng.integers(1, 72)), round(max(5.0, float(rng.normal(60, 20))), 2)
        contract = str(rng.choice(["monthly", "one year", "two years"], p=[0.5, 0.3, 0.2]))
        pays_by = str(rng.choice(["card", "cheque", "transfer"]))
        score = 3.6 * (contract == "monthly") - months / 8 + (fee - 60) / 12 - 1.6
        left = "yes" if rng.random() < 1 / (1 + np.exp(-2.0 * score)) else "no"
        paid = "" if rng.random() < 0.04 else round(months * fee, 2)
        rows.append([f"C{10007 + 13 * k}", contract, pays_by, months, fee, paid, left])
    return write(path, ["customer", "contract", "pays_by", "months", "fee", "paid", "left"], rows)


def flowers(path, n=150, seed=1):
    """Three classes by four lengths, sorted by class, as Iris is stored."""
    rng = np.random.default_rng(seed)
    kinds = {"setosa": (5.0, 3.4, 1.5, 0.3), "versicolor": (5.9, 2.8, 4.3, 1.3), "virginica": (6.6, 3.0, 5.5, 2.0)}
    rows = [
        [*(round(max(0.1, float(x)), 1) for x in rng.normal(mean, (0.35, 0.3, 0.3, 0.2))), kind]
        for kind, mean in kinds.items()
        for _ in range(n // 3)
    ]
    return write(path, ["sepal_length", "sepal_width", "petal_length", "petal_width", "species"], rows)


def wines(path, n=400, seed=2):
    """Eleven numbers in units far apart, and a quality in whole numbers, 4 to 8, that four of them decide."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 11))
    quality = np.clip(np.round(5.8 + 0.9 * x[:, 0] - 0.7 * x[:, 1] + 0.4 * x[:, 2] - 0.3 * x[:, 3]), 4, 8).astype(int)
    middle = np.array([8.3, 0.5, 0.3, 2.5, 0.09, 15.9, 46.5, 0.9967, 3.3, 0.66, 10.4])
    spread = np.array([1.7, 0.1, 0.1, 0.5, 0.02, 5.0, 15.0, 0.0019, 0.15, 0.1, 1.1])
    rows = [[*map(float, np.round(row, 5)), q] for row, q in zip(middle + spread * x, quality.tolist(), strict=True)]
    names = "fixed_acidity volatile_acidity citric_acid sugar chlorides free_sulfur total_sulfur density pH sulphates"
    return write(path, [*names.split(), "alcohol", "quality"], rows)


def houses(path, n=400, seed=3):
    """An index, text, blanks, a column that is mostly blank, and a price in the 100,000s."""
    rng, rows = np.random.default_rng(seed), []
    places = {"Old Town": 60_000, "Harbour": 90_000, "North": 0, "East": -20_000, "Hill": 35_000}
    states = {"good": 25_000, "fair": 0, "poor": -30_000}
    for k in range(n):
        area, year = int(rng.integers(40, 260)), int(rng.integers(1900, 2020))
        place, state = str(rng.choice([*places])), str(rng.choice([*states]))
        price = 50_000 + 1_100 * area + places[place] + states[state] + 400 * (year - 1900) + rng.normal(0, 8_000)
        blank_year, blank_state = rng.random(2) < 0.04
        alley = str(rng.choice(["gravel", "paved"])) if rng.random() < 0.1 else "NA"
        rows.append([k + 1, area, "" if blank_year else year, place, "" if blank_state else state, alley])
        rows[-1].append(int(round(price, -2)))
    return write(path, ["Id", "area", "year", "place", "state", "alley", "price"], rows)


def temperatures(path, n=400, seed=4):
    """A series: the dates rise, and the next temperature follows from the last three."""
    rng, first = np.random.default_rng(seed), datetime.date(2023, 1, 1)
    t = np.arange(n + 3)
    values = 15 + 9 * np.sin(2 * np.pi * t / 50) + np.convolve(rng.normal(0, 0.3, n + 7), np.ones(5) / 5, "valid")
    rows = [
        [str(first + datetime.timedelta(k)), *(round(float(value), 2) for value in values[k : k + 4])] for k in range(n)
    ]
    return write(path, ["date", "three_days_ago", "two_days_ago", "yesterday", "temperature"], rows)
