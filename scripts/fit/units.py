# SPDX-License-Identifier: Apache-2.0
"""Elaborates flx_top, takes it apart into units and synthesises each alone, once
(for scripts/fit-calibrate)."""
import gzip
import hashlib
import json
import re
import subprocess
import sys
from glob import glob
from pathlib import Path

import model
import pack

CACHE = Path("build/fit")
SYNTH = {"ice40": "synth_ice40 -abc9 -dff", "ecp5": "synth_ecp5 -abc9"}
DSP = " -dsp -device u"


def yosys(script):
    done = subprocess.run(["nice", "-n", "5", "yosys", "-q", "-p", script], capture_output=True,
                          text=True)
    if done.returncode:
        sys.exit("fit-calibrate: yosys: " + (done.stderr or done.stdout).split("^")[0].strip()[-400:])


def elaborate(family, top, params):
    """RTLIL of `top` with these parameters, as {module: text}."""
    files = sorted(f for pattern in ("core/*.v", "link/*.v", "usb/*.v", "tech/*.v", f"tech/{family}/*.v")
                   for f in glob("rtl/" + pattern))
    sets = " ".join(f"-chparam {k} {v}" for k, v in params.items())
    out = CACHE / "elaborated.il"
    yosys(f"read_verilog -defer -DFLX_{family.upper()} -Ibuild/gen {' '.join(files)}; "
          f"hierarchy -top {top} {sets}; write_rtlil {out}")
    modules, head, name = {}, [], None
    for line in out.read_text().splitlines(keepends=True):
        if re.match(r"attribute \\src|autoidx|#", line.strip()):
            continue
        if line.startswith("module "):
            name = line.split(None, 1)[1].strip()
            modules[name] = head + [line]
            head = []
        elif line.startswith("attribute"):
            head.append(line)
        elif name:
            modules[name].append(line)
    return {k: "".join(v) for k, v in modules.items()}


def plain(name):
    """flx_lanes of $paramod$0123\\flx_lanes."""
    return re.search(r"\\(flx_\w+)", name).group(1)


def children(text, modules):
    return [m for m in re.findall(r"^ *cell (\S+) ", text, re.M) if m in modules]


def take_apart(name, modules, count, units):
    """Adds to units {module: instances} what is in and below module `name`."""
    for child in children(modules[name], modules):
        take_apart(child, modules, count, units)
    if plain(name) in model.UNITS:
        units[name] = units.get(name, 0) + count


def box(text):
    """A module's ports alone."""
    keep = re.findall(r"^ *wire .*(?:input|output|inout).*$", text, re.M)
    head = re.search(r"^module .*$", text, re.M).group(0)
    return "attribute \\blackbox 1\n" + head + "\n" + "\n".join(keep) + "\nend\n"


def closure(name, modules, found):
    """Text of a unit with what is below it, other units as empty boxes."""
    if name in found:
        return found
    found[name] = modules[name]
    for child in children(modules[name], modules):
        if plain(child) not in model.UNITS:
            closure(child, modules, found)
        elif child not in found:
            found[child] = box(modules[child])
    return found


def checksum(parts, flags):
    """The same for the same hardware: without the names that Yosys numbers."""
    text = flags + "".join(parts[k] for k in sorted(parts, key=plain))
    for pattern in (r"\$paramod\$[0-9a-f]{40}", r"\$\d+\b", r"\.v:\d+(\.\d+-\d+\.\d+)?"):
        text = re.sub(pattern, "", text)
    return hashlib.sha1(text.encode()).hexdigest()[:20]


def synthesise(family, dsp, name, modules):
    """Cells of a unit and the file of its netlist, from the cache or from Yosys."""
    parts = closure(name, modules, {})
    command = SYNTH[family] + (DSP if dsp else "")
    key = CACHE / f"{plain(name)}-{family}-{checksum(parts, command)}.json"
    netlist = key.with_suffix(".net.gz")
    if key.exists():
        return json.loads(key.read_text()), netlist
    source, out = CACHE / "unit.il", CACHE / "net.json"
    source.write_text("".join(parts.values()))
    yosys(f"read_rtlil {source}; rename {name} unit_top; hierarchy -top unit_top; "
          f"{command} -top unit_top -json {out}")
    if family == "ecp5":
        subprocess.run(["scripts/ecp5-open-carries", out], check=True)
    data = out.read_bytes()
    netlist.write_bytes(gzip.compress(data, 3))
    found = pack.count(json.loads(data), family)
    key.write_text(json.dumps(found))
    print(f"  {plain(name)} {found}", flush=True)
    return found, netlist


def measure(family, dsp, top, params):
    """({module: (unit, instances, cells, netlist)}, name of the top module)."""
    modules, units = elaborate(family, top, params), {}
    first = next(m for m in modules if plain(m) == top)
    take_apart(first, modules, 1, units)
    return {name: (plain(name), count, *synthesise(family, dsp, name, modules))
            for name, count in units.items()}, first
