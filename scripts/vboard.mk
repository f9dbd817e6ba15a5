# SPDX-License-Identifier: Apache-2.0
# The virtual board (docs/usb.md).
VB_OBJ    := $(patsubst %.c,$(B)/obj/%.o,$(wildcard sim/vboard/*.c))
VB_CFLAGS := $(shell pkg-config --cflags umockdev-1.0 2>/dev/null)
VB_LIBS   := $(shell pkg-config --libs umockdev-1.0 2>/dev/null) -ldl

.PHONY: vboard
vboard: $(B)/flexor-vboard
$(B)/obj/sim/vboard/%.o: FLX_CFLAGS += $(VB_CFLAGS)
$(B)/flexor-vboard: $(VB_OBJ)
	$(CC) $(CFLAGS) $(SANFLAGS) -o $@ $^ $(VB_LIBS)

.PHONY: test-usb test-usb-build
test-usb-build: host vboard sim pins
	$(MAKE) SAN=asan host
	$(MAKE) SAN=tsan host
test-usb:
	scripts/install-deps build test
	scripts/install-deps test-usb || echo "test-usb: the part in QEMU will be skipped"
	$(MAKE) -j$(JOBS) test-usb-build
	scripts/test-usb
