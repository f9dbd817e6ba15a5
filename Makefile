# SPDX-License-Identifier: Apache-2.0
# `make` builds everything into build/; `make demo` and `make test` also install
# what they lack. Variants: SAN=asan|tsan puts an instrumented build in build/$(SAN).

SHELL := /bin/bash
CC    ?= cc
SAN   ?=
B     := build$(if $(SAN),/$(SAN))

SANFLAGS_asan := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SANFLAGS_tsan := -fsanitize=thread
SANFLAGS      := $(SANFLAGS_$(SAN))

WARN   := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
CFLAGS ?= -O3 -g
FLX_CFLAGS := -std=c11 -D_GNU_SOURCE $(WARN) $(CFLAGS) $(SANFLAGS) -fopenmp -pthread \
              -Ihost/include -I$(B)/gen -MMD -MP
FLX_LIBS   := -lusb-1.0 -ldnnl -ljansson -lz -ldl -lm -lpthread

LIB_SRC := $(wildcard host/lib/*/*.c)
LIB_OBJ := $(LIB_SRC:%.c=$(B)/obj/%.o)
CLI_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(wildcard host/cli/*.c))
UNIT    := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))

# Open MPI, where it is: a shared object of its own, which `flexor train` loads under mpirun.
MPI_CFLAGS := $(patsubst -I%,-isystem %,$(shell mpicc --showme:compile 2>/dev/null))
MPI_LIBS   := $(shell mpicc --showme:link 2>/dev/null)

.PHONY: all host clean
all: host sim
host: $(B)/flexor $(if $(MPI_LIBS),$(B)/flexor-mpi.so)

$(B)/libflexor.a: $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(B)/flexor: $(CLI_OBJ) $(B)/libflexor.a
	$(CC) $(CFLAGS) $(SANFLAGS) -fopenmp -rdynamic -o $@ $^ $(FLX_LIBS)

$(B)/flexor-mpi.so: host/mpi/mpi.c host/mpi/flx_mpi.h host/include/flexor/status.h
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE $(WARN) $(CFLAGS) $(SANFLAGS) -fPIC -shared -Ihost/include \
	    $(MPI_CFLAGS) -o $@ $< $(MPI_LIBS)

$(B)/obj/%.o: %.c | $(B)/gen/flx_proto.h
	@mkdir -p $(@D)
	$(CC) $(FLX_CFLAGS) -c -o $@ $<

# Unit tests: one program a file, cmocka.
$(B)/tests/%: tests/unit/%.c $(B)/libflexor.a
	@mkdir -p $(@D)
	$(CC) $(FLX_CFLAGS) -Itests/unit -Ihost/lib -o $@ $< $(B)/libflexor.a -lcmocka $(FLX_LIBS)

# Against libftdi1, which the program itself does not use (docs/usb.md).
$(B)/tests/test_libftdi: FLX_CFLAGS += $(shell pkg-config --cflags libftdi1 2>/dev/null)
$(B)/tests/test_libftdi: FLX_LIBS += -lftdi1

.PHONY: unit-build unit
unit-build: $(UNIT)
unit: unit-build
	scripts/run-tests $(UNIT)

# Everything below README's two commands.
JOBS := $(shell nproc)
SYSTEM_TESTS := $(filter-out %/lib.sh,$(sort $(wildcard tests/system/*.sh)))
RTL_TESTS    := $(sort $(wildcard tests/rtl/*.sh))
CHECKS       := scripts/lint scripts/formal scripts/synth-check

.PHONY: demo test test-build bench bench-train results results-cifar
demo:
	scripts/install-deps build demo
	$(MAKE) -j$(JOBS) all
	scripts/demo

test:
	scripts/install-deps build test
	$(MAKE) -j$(JOBS) test-build
	scripts/run-tests -j $(JOBS) $(SYSTEM_TESTS) $(CHECKS) $(RTL_TESTS) $(UNIT) \
	    $(UNIT:$(B)/%=build/asan/%)

test-build: all unit-build vboard pins $(B)/tests/gen_resnet \
            $(B)/sim/up5k16.so $(B)/sim/k16t16p1pixels.so \
            $(addprefix $(B)/sim/,$(addsuffix .so,hx8k icebreaker ulx3s-85 ulx3s-85-4bit))
	$(MAKE) SAN=asan host unit-build

results:
	scripts/install-deps build demo
	$(MAKE) -j$(JOBS) host
	scripts/results

results-cifar:
	scripts/install-deps build demo
	$(MAKE) -j$(JOBS) host
	scripts/results-cifar

bench:
	scripts/install-deps build demo
	$(MAKE) -j$(JOBS) all
	scripts/bench

bench-train:
	scripts/install-deps build bench-train
	$(MAKE) -j$(JOBS) host
	scripts/bench-train

# BOARD: an entry of rtl/boards/boards.json. SEEDS: of place and route (the board's); the best one is kept.
.PHONY: bitstream flash
bitstream: $(B)/gen/flx_proto.vh $(B)/gen/flx_xornet.vh
	scripts/install-deps build boards ecp5
	scripts/bitstream "$(BOARD)" $(SEEDS)
# Long (hours for all boards), but it goes on where it was stopped.
.PHONY: ppa
ppa: host $(B)/gen/flx_proto.vh $(B)/gen/flx_xornet.vh
	scripts/install-deps build boards ecp5
	scripts/ppa --place $(or $(SEEDS),1 2 3 4 5)
flash:
	scripts/install-deps boards
	scripts/bitstream --flash "$(BOARD)"

include scripts/sim.mk
include scripts/vboard.mk
-include $(shell find $(B)/obj $(B)/tests -name '*.d' 2>/dev/null)

clean:
	rm -rf build
