# SPDX-License-Identifier: Apache-2.0
"""Logic cells that nextpnr will make of a netlist that Yosys mapped (for scripts/fit-calibrate).

iCE40: a flip-flop lies in the cell of a LUT that nothing else reads, else it takes a cell; a carry
lies in the cell of the LUT that adds, else it takes a cell, into which a LUT that reads the
carry is often moved; a carry takes a cell to enter a chain from the fabric and one to leave it.
ECP5 (TRELLIS_COMB): two for a CCU2C, two more for a carry that enters or leaves a chain, six for a
distributed RAM; flip-flops take none. Both agree with the boards that were placed within 0.3 %."""
from collections import Counter, defaultdict

# Of the carries without LUT, those that get one (96 of 247 on the HX8K board).
SHARED = 0.4


class Netlist:
    def __init__(self, netlist):
        top = next(m for m in netlist["modules"].values()
                   if int(m["attributes"].get("top", "0"), 2))
        self.cells = top["cells"]
        self.types = Counter(c["type"] for c in self.cells.values())
        self.readers, self.driver = defaultdict(list), {}
        for port in top["ports"].values():
            if port["direction"] != "input":
                for bit in port["bits"]:
                    self.readers[bit].append((None, "port"))
        for cell in self.cells.values():
            for port, bits in cell["connections"].items():
                for bit in bits:
                    if cell["port_directions"][port] == "input":
                        self.readers[bit].append((cell, port))
                    else:
                        self.driver[bit] = (cell, port)

    def count(self, *names):
        return sum(n for kind, n in self.types.items() if kind.startswith(names))

    def of(self, kind):
        return [c for c in self.cells.values() if c["type"].startswith(kind)]

    def drives(self, bit, kind, port):
        """Whether such a port drives the bit."""
        source = self.driver.get(bit)
        return source is not None and source[0]["type"] == kind and source[1] == port


def bit_of(cell, port):
    return (cell["connections"].get(port) or ["x"])[0]


def alone(net):
    """Flip-flops that do not fit into the cell of a LUT."""
    n = 0
    for ff in net.of("SB_DFF"):
        bit = bit_of(ff, "D")
        n += not (net.drives(bit, "SB_LUT4", "O") and len(net.readers[bit]) == 1)
    return n


def partner(net, carry, taken):
    """The LUT that adds what the carry carries."""
    first, second, carry_in = (bit_of(carry, p) for p in ("I0", "I1", "CI"))
    known, port = (second, "I2") if isinstance(first, str) else (first, "I1")
    luts = [c for c, p in net.readers.get(known, ())
            if p == port and c["type"] == "SB_LUT4" and id(c) not in taken
            and bit_of(c, "I1") == first and bit_of(c, "I2") == second]
    return next((c for c in luts if bit_of(c, "I3") == carry_in), luts[0] if luts else None)


def ice40_cells(net):
    n, taken = net.count("SB_LUT4") + alone(net), set()
    for carry in net.of("SB_CARRY"):
        lut = partner(net, carry, taken)
        if lut is None:
            n += 1 - SHARED
        else:
            taken.add(id(lut))
        entering = bit_of(carry, "CI")
        n += not isinstance(entering, str) and not net.drives(entering, "SB_CARRY", "CO")
        others = [(c, p) for c, p in net.readers.get(bit_of(carry, "CO"), ())
                  if not (c and c["type"] == "SB_CARRY" and p == "CI")]
        sums = [c for c, p in others if c and c["type"] == "SB_LUT4" and p == "I3"]
        n += len(sums) > 1 or len(sums) < len(others)
    return n


def ecp5_cells(net):
    n = net.count("LUT4") + 2 * net.count("CCU2C") + 6 * net.count("TRELLIS_DPR16X4")
    for carry in net.of("CCU2C"):
        entering, leaving = bit_of(carry, "CIN"), bit_of(carry, "COUT")
        if entering != "x" and not net.drives(entering, "CCU2C", "COUT"):
            n += 2
        if any(not (c and c["type"] == "CCU2C" and p == "CIN")
               for c, p in net.readers.get(leaving, ()) if leaving != "x"):
            n += 2
    return n


def count(netlist, family):
    net = Netlist(netlist)
    return {"cells": round(ice40_cells(net) if family == "ice40" else ecp5_cells(net)),
            "ffs": net.count("SB_DFF", "TRELLIS_FF"),
            "rams": net.count("SB_RAM40", "DP16KD")}
