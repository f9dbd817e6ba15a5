# SPDX-License-Identifier: Apache-2.0
# Generated constants and simulations. A simulation is one Verilated shape of the
# accelerator as a shared object that the host loads: build/sim/SHAPE.so.

$(B)/gen/flx_proto.h: rtl/flx_proto.txt scripts/gen-proto
	@mkdir -p $(@D)
	scripts/gen-proto c < $< > $@.tmp
	@mv $@.tmp $@

$(B)/gen/flx_proto.vh: rtl/flx_proto.txt scripts/gen-proto
	@mkdir -p $(@D)
	scripts/gen-proto verilog < $< > $@.tmp
	@mv $@.tmp $@

.PHONY: sim
sim:
