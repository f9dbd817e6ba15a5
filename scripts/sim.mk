# SPDX-License-Identifier: Apache-2.0
# Generated constants and simulations. A simulation is one Verilated shape as a shared object
# that the host loads: build/sim/NAME.so, NAME being SHAPE[SUFFIX][-trace] and SHAPE a line of
# sim/shapes or a board of rtl/boards/boards.json.
#   make sim                                  the shapes of SIM_SHAPES
#   make build/sim/k16t16p1-trace.so          one shape, with FST tracing
#   make build/sim/hx8k.so                    the array and memories of a board
#   make pins                                 PINS_SHAPE with the pins of a board
#   make sim XORNET=m.safetensors SUFFIX=-m   for the XOR network of a model: sim:SHAPE-m
# Instrumented builds of the host use the same simulations.

SIM_SHAPES ?= k16t16p1 k8t8p2
XORNET     ?=
SUFFIX     ?=

ifneq ($(XORNET),)
ifeq ($(SUFFIX),)
$(error XORNET= needs SUFFIX=, for example SUFFIX=-mine)
endif
endif

SIM_BUILD := $(patsubst %/$(SAN),%,$(B))
SIM_GEN   := $(SIM_BUILD)/gen$(SUFFIX)
SIM_RTL   := $(wildcard rtl/core/*.v rtl/link/*.v rtl/tech/*.v)

$(B)/gen/flx_proto.h: rtl/flx_proto.txt scripts/gen-proto
	@mkdir -p $(@D)
	scripts/gen-proto c < $< > $@.tmp
	@mv $@.tmp $@

$(SIM_GEN)/flx_proto.vh: rtl/flx_proto.txt scripts/gen-proto
	@mkdir -p $(@D)
	scripts/gen-proto verilog < $< > $@.tmp
	@mv $@.tmp $@

# The default network, or that of a model.
$(SIM_GEN)/flx_xornet.vh: host/lib/code/xornet.c host/cli/cmd_xornet.c $(XORNET) | $(B)/flexor
	@mkdir -p $(@D)
	$(B)/flexor xornet $(if $(XORNET),--model $(XORNET)) --verilog $@ > /dev/null

# Written only when they change, so that another line of sim/shapes makes nothing out of date.
$(SIM_BUILD)/sim/%.shape: sim/shapes rtl/boards/boards.json scripts/shape
	@mkdir -p $(@D)
	@scripts/shape $(notdir $*) > $@.tmp || { rm -f $@.tmp; exit 1; }
	@cmp -s $@.tmp $@ && rm $@.tmp || mv $@.tmp $@
.PRECIOUS: $(SIM_BUILD)/sim/%.shape

$(SIM_BUILD)/sim/%.so: $(SIM_GEN)/flx_proto.vh $(SIM_GEN)/flx_xornet.vh $(SIM_RTL) \
                       sim/sim_wrapper.cpp sim/flx_sim.h $(SIM_BUILD)/sim/%.shape scripts/build-sim
	+nice scripts/build-sim $* $(SIM_BUILD)/sim/$*.shape $(SIM_GEN) $(SIM_BUILD)/obj/sim/$* $@

# With the pins of a board: build/sim/pins/SHAPE-uart.so, SHAPE-usb.so.
PINS_SHAPE ?= k16t16p1
$(SIM_BUILD)/sim/pins/%.so: $(SIM_GEN)/flx_proto.vh $(SIM_GEN)/flx_xornet.vh $(SIM_RTL) \
                            $(wildcard rtl/usb/*.v rtl/boards/flx_board_*.v sim/pins/*) \
                            $(wildcard tests/rtl/usb/packet.*) sim/flx_sim.h sim/flx_pins.h \
                            $(SIM_BUILD)/sim/pins/%.shape scripts/build-pins
	+nice scripts/build-pins $* $(SIM_BUILD)/sim/pins/$*.shape $(SIM_GEN) $(SIM_BUILD)/obj/sim/pins/$* $@

.PHONY: sim pins
pins: $(SIM_BUILD)/sim/pins/$(PINS_SHAPE)-uart.so $(SIM_BUILD)/sim/pins/$(PINS_SHAPE)-usb.so
sim: $(SIM_SHAPES:%=$(SIM_BUILD)/sim/%$(SUFFIX).so)
