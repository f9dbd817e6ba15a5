# SPDX-License-Identifier: Apache-2.0
"""Least squares without negative coefficients (for scripts/fit-calibrate)."""

# A hair of a penalty, which picks the smallest of answers that are equally good.
RIDGE = 1e-5


def solve(columns, wanted, weights, rounds=20000):
    """Coefficients >= 0 of the columns: coordinate descent on the weighted squares. Each
    column is scaled to length 1, and so is what is wanted."""
    def scaled(values):
        weighted = [v * w for v, w in zip(values, weights)]
        size = sum(v * v for v in weighted) ** 0.5 or 1.0
        return [v / size for v in weighted], size

    rest, whole = scaled(wanted)
    parts = [scaled(c) for c in columns]
    found = [0.0] * len(parts)
    for _ in range(rounds):
        change = 0.0
        for i, (column, _) in enumerate(parts):
            step = sum(a * b for a, b in zip(column, rest)) - RIDGE * found[i]
            step = max(step / (1 + RIDGE), -found[i])
            if step:
                found[i] += step
                change = max(change, abs(step))
                rest = [r - step * v for r, v in zip(rest, column)]
        if change < 1e-7:
            break
    return [f * whole / size for f, (_, size) in zip(found, parts)]
