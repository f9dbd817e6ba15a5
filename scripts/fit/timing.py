# SPDX-License-Identifier: Apache-2.0
"""Longest paths of netlists that Yosys mapped (for scripts/fit-calibrate): delays of cells as
nextpnr reports them, and one delay for every net."""
import re
from collections import defaultdict

# ns: flip-flop to net, block RAM, with output register, LUT, into a carry, along one, out of it,
# multiplier; every net.
DELAYS = {
    "ice40": dict(ff=0.54, ram=2.15, ram_reg=2.15, lut=0.40, enter=0.35, carry=0.126, leave=0.30, mult=6.0,
                  net=1.15),
    "ecp5": dict(ff=0.52, ram=5.7, ram_reg=0.6, lut=0.24, enter=0.45, carry=0.07, leave=0.44, mult=3.9,
                 net=0.80),
}
NEVER = -1e9  # of another clock
FREE = {"SB_CARRY": ("CI",), "CCU2C": ("CIN",)}  # ports that no net of the fabric reaches


def clocked(cell):
    """Whether outputs come from a clock edge."""
    kind = cell["type"]
    return kind.startswith(("SB_DFF", "TRELLIS_FF", "SB_RAM40", "DP16KD", "SB_SPRAM"))


def start(cell, port, d):
    kind = cell["type"]
    if kind.startswith(("SB_DFF", "TRELLIS_FF")):
        return d["ff"]
    side = "B" if port.startswith("DOB") else "A"
    return d["ram_reg"] if cell["parameters"].get(f"REGMODE_{side}") == "OUTREG" else d["ram"]


def arc(cell, source, target, d):
    """Delay through a cell; None if there is no such path."""
    kind = cell["type"]
    if kind in ("SB_LUT4", "LUT4"):
        return d["lut"]
    if kind in ("PFUMX", "L6MUX21"):
        return d["lut"] * 0.8 if source != "C0" and source != "SD" else d["lut"]
    if kind == "SB_CARRY":
        return d["carry"] if source == "CI" else d["enter"]
    if kind == "CCU2C":
        if target == "COUT":
            return d["carry"] if source == "CIN" else d["enter"]
        if source == "CIN":
            return d["leave"]
        return d["lut"] if source[-1] == target[-1] else d["enter"] if target == "S1" else None
    if kind.startswith("TRELLIS_DPR16X4"):
        return d["lut"] if source.startswith("RAD") else None
    if kind in ("MULT18X18D", "SB_MAC16"):
        return d["mult"] if re.match(r"[AB]\d*$", source) else None
    return None


class Design:
    """A netlist put together of units: cells with the nets of the whole, and each cell's unit."""

    def __init__(self, clocks):
        self.cells, self.unit, self.same = {}, {}, {}
        self.clocks, self.n = {clock: i for i, clock in enumerate(clocks)}, len(clocks)

    def root(self, bit):
        while bit in self.same:
            bit = self.same[bit]
        return bit

    def add(self, netlist, unit, boxes, ports, path=""):
        """Adds a netlist whose ports are nets of the whole; boxes: {module: (unit, netlist)}."""
        top = next(m for m in netlist["modules"].values()
                   if int(m["attributes"].get("top", "0"), 2))
        nets = {}
        for port, outer in ports.items():
            for bit, net in zip(top["ports"][port]["bits"], outer):
                if isinstance(bit, str) or isinstance(net, str):
                    continue
                if bit not in nets:
                    nets[bit] = net
                elif self.root(nets[bit]) != self.root(net):
                    self.same[self.root(net)] = self.root(nets[bit])
        for name, cell in top["cells"].items():
            wires = {p: [self.net(nets, b) for b in bits] for p, bits in cell["connections"].items()}
            if cell["type"] in boxes:
                self.add(boxes[cell["type"]][1], boxes[cell["type"]][0], boxes, wires, path + name + ".")
            else:
                self.cells[path + name] = dict(cell, connections=wires)
                self.unit[path + name] = unit

    def net(self, nets, bit):
        if isinstance(bit, str):
            return bit
        if bit not in nets:
            nets[bit] = self.n
            self.n += 1
        return nets[bit]

    def join(self):
        for cell in self.cells.values():
            for port, bits in cell["connections"].items():
                cell["connections"][port] = [self.root(b) for b in bits]


def longest(design, family):
    """{clock: {unit: ns of the longest path of that clock that ends in the unit}}."""
    design.join()
    found = {}
    for clock, net in design.clocks.items():
        timing, units = Timing(design.cells, family, design.root(net)), defaultdict(float)
        for ns, name, _ in timing.ends():
            units[design.unit[name]] = max(units[design.unit[name]], ns)
        found[clock] = units
    return found


class Timing:
    """Arrival times in a netlist {name: cell} of what starts at one clock."""

    def __init__(self, cells, family, clock):
        self.cells, self.d, self.clock = cells, DELAYS[family], clock
        self.driver, self.arrival, self.pending = {}, {}, set()
        for name, cell in cells.items():
            for port, bits in cell["connections"].items():
                if cell["port_directions"].get(port) == "output":
                    for i, bit in enumerate(bits):
                        self.driver[bit] = (name, port)

    def mine(self, cell):
        """Whether the cell has this clock."""
        return any(self.clock in bits for port, bits in cell["connections"].items()
                   if "CLK" in port or port == "C")

    def inputs(self, name):
        cell = self.cells[name]
        for port, bits in cell["connections"].items():
            if cell["port_directions"].get(port) == "input":
                for bit in bits:
                    if bit in self.driver:
                        yield port, bit

    def wire(self, cell, port, bit):
        """Delay of the net into a port."""
        if port in FREE.get(cell["type"], ()):
            return 0.0
        source = self.cells[self.driver[bit][0]]
        if source["type"] == "SB_CARRY":
            return 0.0 if cell["type"] == "SB_LUT4" and port == "I3" else self.d["net"]
        if source["type"] in ("PFUMX", "L6MUX21") or cell["type"] in ("PFUMX", "L6MUX21"):
            return 0.0
        if source["type"] in ("LUT4", "SB_LUT4") and port in ("D", "DI") and "FF" in cell["type"]:
            return 0.0
        return self.d["net"]

    def at(self, bit):
        """Arrival at the driver of a bit, without recursion."""
        stack = [bit]
        while stack:
            b = stack[-1]
            if b in self.arrival:
                stack.pop()
                continue
            name, port = self.driver[b]
            cell = self.cells[name]
            if clocked(cell):
                self.arrival[b] = start(cell, port, self.d) if self.mine(cell) else NEVER
                continue
            todo = [x for p, x in self.inputs(name) if x not in self.arrival
                    and arc(cell, p, port, self.d) is not None and x not in self.pending]
            if todo and b not in self.pending:
                self.pending.add(b)
                stack += todo
                continue
            best = NEVER
            for p, x in self.inputs(name):
                through = arc(cell, p, port, self.d)
                if through is not None and x in self.arrival:
                    best = max(best, self.arrival[x] + self.wire(cell, p, x) + through)
            self.arrival[b] = best
            self.pending.discard(b)
        return self.arrival[bit]

    def ends(self):
        """(delay, name, bit) at every port of a clocked cell."""
        for name, cell in self.cells.items():
            if clocked(cell) and self.mine(cell):
                for port, bit in self.inputs(name):
                    if "CLK" not in port and port != "C":
                        yield self.at(bit) + self.wire(cell, port, bit), name, bit
