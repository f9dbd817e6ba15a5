# SPDX-License-Identifier: Apache-2.0
"""Fits the measurements and writes host/lib/device/fit_table.h (for scripts/fit-calibrate)."""
import re
import subprocess
from pathlib import Path

import model
import solve

TABLE = Path("host/lib/device/fit_table.h")
HEAD = """/* SPDX-License-Identifier: Apache-2.0 */
/* Written by scripts/fit-calibrate; do not edit (docs/fit.md). */
#ifndef FLEXOR_FIT_TABLE_H
#define FLEXOR_FIT_TABLE_H
#include <stddef.h>

#include "fit_area.h"

#define FIT_UNITS %d

/* Units of the RTL: how often there is one, and whether the lanes' clock is its clock. */
static const struct {
    const char *name;
    enum flx_quantity times[4];
    int engine;
} fit_units[FIT_UNITS] = {
%s};

/* A unit's cells, flip-flops and longest path in ns are sums of products of quantities. */
struct fit_term {
    int unit;
    enum flx_quantity factors[4];
    double cells, ffs, ns;
};
"""


FAMILIES = """
/* What whole boards that were placed have for a cell or flip-flop of their units. */
static const struct fit_family {
    const char *name;
    const struct fit_term *terms;
    size_t n_terms;
    double cells_scale, ffs_scale;
} fit_families[] = {
%s};

/* What placed boards needed for a ns of the longest path: of clk, of clk_lanes. */
static const struct fit_speed {
    const char *device; /* or family */
    int speed;
    double core, lanes;
} fit_speeds[] = {
"""


def product(term, quantities):
    value = 1.0
    for name in term.split("*"):
        value *= quantities[name]
    return value


def fit(rows, key, terms):
    """{term: coefficient} and the largest deviation of the rows from it."""
    names = terms.split()
    columns = [[product(t, r["quantities"]) for r in rows] for t in names]
    wanted = [float(r[key]) for r in rows]
    found = solve.solve(columns, wanted, [1 / (v + 10) for v in wanted])
    made = [sum(f * c[i] for f, c in zip(found, columns)) for i in range(len(rows))]
    off = max((abs(m - w) / w for m, w in zip(made, wanted) if w >= 50 or key == "ns"), default=0.0)
    return {t: f for t, f in zip(names, found) if f > 1e-6}, off


def factors(term):
    names = (term.split("*") + ["ONE"] * 4)[:4]
    return "{" + ", ".join("FLX_Q_" + n for n in names) + "}"


def coefficients(rows, report):
    """{family: {unit: (cells, flip-flops, ns)}}, each {term: coefficient}."""
    found = {}
    for family in sorted({r["family"] for r in rows}):
        found[family] = {}
        for unit, (_, terms) in model.UNITS.items():
            mine = [r for r in rows if r["family"] == family and r["unit"] == unit]
            timed = [r for r in mine if r["ns"] > 0]
            if not mine:
                continue
            cells, off = fit(mine, "cells", terms)
            ffs, _ = fit(mine, "ffs", terms)
            ns, late = fit(timed, "ns", model.PATHS.get(unit, "ONE")) if timed else ({}, 0.0)
            found[family][unit] = (cells, ffs, ns)
            report(f"{family:6} {unit:24} {len(mine):3} points, cells within {100 * off:3.0f} %,"
                   f" path within {100 * late:3.0f} %")
    return found


def predict(units, quantities):
    """Cells and flip-flops of a build, and the longest paths of clk and of clk_lanes in ns,
    before the factors for boards."""
    total, paths = [0.0, 0.0], [0.0, 0.0]
    for unit, found in units.items():
        times = product(model.UNITS[unit][0], quantities)
        if not times:
            continue
        values = [sum(f * product(t, quantities) for t, f in each.items()) for each in found]
        total = [total[0] + times * values[0], total[1] + times * values[1]]
        lanes = unit in model.ENGINE and quantities["RING"] > 0
        paths[lanes] = max(paths[lanes], values[2])
    return (*total, *paths)


def whole(units, rows):
    """A point's cells and longest path: as measured, and as the terms of its units give them."""
    made, times = 0.0, [0.0]
    for r in (r for r in rows if r["unit"] in units):
        cells, _, ns = (sum(f * product(t, r["quantities"]) for t, f in each.items())
                        for each in units[r["unit"]])
        made += r["count"] * cells
        times.append(ns)
    return (sum(r["count"] * r["cells"] for r in rows), made, max(r["ns"] for r in rows), max(times))


def leave_out(rows, report):
    """How far the terms are off for a point that they were not fitted to, point by point."""
    for point in sorted({r["point"] for r in rows}):
        mine = [r for r in rows if r["point"] == point]
        family = mine[0]["family"]
        others = [r for r in rows if r["family"] == family and r["point"] != point]
        cells, made, ns, late = whole(coefficients(others, lambda _: None)[family], mine)
        slowest = max(mine, key=lambda r: r["ns"])["unit"]
        report(f"{family} point {point}, left out: {cells} cells, {100 * (made / cells - 1):+.1f} %;"
               f" {ns:.1f} ns in {slowest}, {100 * (late / ns - 1):+.1f} %")


def c_terms(units):
    lines = []
    for i, unit in enumerate(model.UNITS):
        found = units.get(unit, ({}, {}, {}))
        for term in sorted({t for each in found for t in each}, key=lambda t: (t.count("*"), t)):
            numbers = ", ".join(f"{each.get(term, 0.0):.5g}" for each in found)
            lines.append(f"    {{{i}, {factors(term)}, {numbers}}},\n")
    return "".join(lines)


def write(found, scales, speeds):
    units = "".join(f'    {{"{u}", {factors(times)}, {int(u in model.ENGINE)}}},\n'
                    for u, (times, _) in model.UNITS.items())
    text = HEAD % (len(model.UNITS), units)
    entries = ""
    for family, terms in found.items():
        text += f"\nstatic const struct fit_term fit_{family}[] = {{\n{c_terms(terms)}}};\n"
        entries += (f'    {{"{family}", fit_{family}, sizeof fit_{family} / sizeof fit_{family}[0],'
                    f" {scales[family][0]:.4f}, {scales[family][1]:.4f}}},\n")
    text += FAMILIES % entries
    for (device, speed), (core, lanes) in sorted(speeds.items()):
        text += f'    {{"{device}", {speed}, {core:.4f}, {lanes:.4f}}},\n'
    TABLE.write_text(text + "};\n\n#endif\n")
    subprocess.run(["clang-format", "-i", TABLE], check=True)


def factors_there():
    """Factors for boards in the table as it is: ({family: (cells, ffs)}, {(device, speed): (core, lanes)})."""
    text = TABLE.read_text() if TABLE.exists() else ""
    number = r"([\d.]+)"
    scales = {f: (float(a), float(b)) for f, a, b in re.findall(
        rf'\{{"(\w+)", fit_\w+,[^}}]*, {number}, {number}\}}', text)}
    speeds = {(d, int(s)): (float(a), float(b)) for d, s, a, b in re.findall(
        rf'\{{"(\w+)", (\d), {number}, {number}\}}', text)}
    return scales, speeds
