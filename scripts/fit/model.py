# SPDX-License-Identifier: Apache-2.0
"""What scripts/fit-calibrate measures: units of the RTL and sets of parameters."""

# Units: how often there is one, and the products of which its cells are a sum; names are those of
# host/lib/device/fit_area.h.
UNITS = {
    "flx_top": ("ONE", "ONE"),
    "flx_link": ("ONE", "ONE PAYLOAD_LOG2"),
    "flx_core": ("ONE", "ONE P STORE BANKS NO_RINGS NO_RINGS*AMEM_LOG2 NO_RINGS*SKIP*RQ NO_RINGS*BANKS"
                        " NO_RINGS*PAIRS NO_RINGS*PIPE NO_RINGS*ROWS*K*T NO_RINGS*COPIES*K*T"),
    "flx_prog_mem": ("ONE", "ONE LAYERS_LOG2"),
    "flx_sequencer": ("ONE", "ONE AMEM_LOG2 WMEM_LOG2 SKIP SKIP*AMEM_LOG2 WINDOWS SCALED STORE RINGS RING"),
    "flx_weight_buf": ("ONE", "ONE WORD_BYTES WMEM_LOG2 PIPE PIPE*WORD_BYTES STORE"),
    "flx_decrypt_array": ("ONE", "K*T K*T*NIN_MAX"),
    "flx_image_loader": ("WIDE", "ONE AMEM_LOG2 ACT_W WIN_LOG2 BANKS"),
    "flx_image_loader_narrow": ("NARROW", "ONE AMEM_LOG2 ACT_W WIN_LOG2 BANKS"),
    "flx_requant_ctl": ("ONE", "ONE AMEM_LOG2 PMEM_LOG2 SCALED SKIP SKIP_OWN STEPS SUMS NO_RINGS"),
    "flx_param_mem": ("ONE", "ONE RQ PMEM_LOG2 PIPE*RQ"),
    "flx_pixels": ("RINGS", "ONE RING AMEM_LOG2 RQ K*T RING*RQ RING*AMEM_LOG2 COPIES*K*T"),
    "flx_station": ("P", "ONE BANKS NO_STORE PIPE PIPE*K*T PIPE*RQ PIPE*AMEM_LOG2 RINGS"),
    "flx_act_mem": ("P*NO_STORE", "ONE BANKS K*ACT_W PIPE*K*ACT_W RINGS*K RING*K"),
    "flx_lanes": ("P", "PLAIN*K*T*ACT_W PLAIN*K*T PLAIN*T*ACC_W PAIRS*K*T*ACT_W PAIRS*K*T"
                       " PAIRS*T*ACC_W PAIRS*K*ACT_W ROWS*K*T*ACT_W ROWS*K*T ROWS*T*ACC_W ROWS*K*ACT_W"
                       " COPIES*K*T*ACT_W RING*T*ACC_W ONE"),
    "flx_requant": ("P", "ONE RINGS T*ACC_W NO_RINGS*T*ACC_W NO_RINGS*ROWS*T*ACC_W RQ RQ*ACC_W NO_DSP*RQ*ACC_W"
                         " NO_RINGS*SKIP*T*ACT_W SKIP*RQ SCALED*RQ SUMS*RQ RQ*ACT_W NO_RINGS*RQ*ACT_W"
                         " RING*T*ACC_W RINGS*RQ RING*RQ SKIP*K*T SKIP*T*ACT_W RING*SKIP*T*ACT_W SKIP_OWN*RQ"
                         " RING*RQ*ACC_W NO_RINGS*RQ*ACC_W"),
    "flx_store": ("STORE", "ONE K*ACT_W AMEM_LOG2"),
    "flx_counters": ("COUNTERS", "ONE LAYERS_LOG2 RINGS"),
    "flx_readout": ("ONE", "ONE RINGS NO_PIPE*P*K*ACT_W AMEM_LOG2 PIPE"),
    "flx_uart": ("UART", "ONE FIFO_LOG2"),
    "flx_usb_device": ("USB", "ONE"),
}

# Units of an engine: with PIXELS their clock is the lanes'.
ENGINE = ("flx_pixels", "flx_station", "flx_act_mem", "flx_lanes", "flx_requant")

# Terms of the longest path that ends in a unit, in ns; the others have "ONE".
PATHS = {
    "flx_link": "ONE PAYLOAD_LOG2 WMEM_LOG2 SKIP WINDOWS",
    "flx_core": "ONE WMEM_LOG2 NO_PIPE SKIP WINDOWS",
    "flx_sequencer": "ONE AMEM_LOG2 WMEM_LOG2 SKIP WINDOWS SCALED STORE",
    "flx_weight_buf": "ONE WMEM_LOG2 NO_PIPE STORE SKIP WINDOWS",
    "flx_decrypt_array": "ONE NIN_MAX NO_PIPE",
    "flx_image_loader": "ONE AMEM_LOG2 WIN_LOG2",
    "flx_image_loader_narrow": "ONE AMEM_LOG2 WIN_LOG2",
    "flx_requant_ctl": "ONE AMEM_LOG2 PMEM_LOG2 SCALED SKIP",
    "flx_station": "ONE NO_PIPE NO_RINGS NO_PIPE*P NO_PIPE*NARROW NO_PIPE*WIDE",
    "flx_act_mem": "ONE NO_PIPE NO_RINGS BANKS NO_PIPE*NARROW",
    "flx_lanes": "ONE ACC_W NO_RINGS PLAIN PAIRS NO_PIPE*PLAIN NO_PIPE*PAIRS NO_PIPE*ROWS",
    "flx_requant": "ONE SCALED*NO_RINGS SCALED*RINGS NO_SCALED*NO_PIPE NO_DSP ACC_W SUMS",
    "flx_store": "ONE AMEM_LOG2",
    "flx_readout": "ONE NO_PIPE NO_PIPE*P NO_PIPE*K",
}

# Links: none of the parameters of flx_top matters to them.
LINKS = {"ice40": [("flx_uart", {"RX_LOG2": 9})],
         "ecp5": [("flx_uart", {"RX_LOG2": 11}), ("flx_usb_device", {})]}

ULX3S = dict(K=16, T=16, P=1, NIN_MAX=32, RQ=4, ACC_W=22, AMEM_WORDS=8192, WMEM_WORDS=4096,
             PMEM_CH=2048, PROG_LAYERS=32, RES_WORDS=64, WIN_MAX=64, SCALED=1, MAX_PAYLOAD=1024)
ORANGECRAB = dict(K=8, T=8, P=1, NIN_MAX=32, RQ=1, ACC_W=22, AMEM_WORDS=4096, WMEM_WORDS=4096,
                  PMEM_CH=1024, PROG_LAYERS=16, RES_WORDS=64, WIN_MAX=64, MAX_PAYLOAD=1024)
ROWS = dict(ULX3S, LANES=2, FAN=4, PIPE=1, P=2, RQ=2, ACC_W=19, AMEM_WORDS=4096)
HX8K = dict(K=8, T=8, P=1, NIN_MAX=20, RQ=1, ACC_W=19, AMEM_WORDS=512, WMEM_WORDS=512, PMEM_CH=256,
            PROG_LAYERS=8, RES_WORDS=16, WIN_MAX=32, SKIP=0, WINDOWS=0, SCALED=0, POOL_BITS=0,
            LOADER=1, MAX_PAYLOAD=256)
ICEBREAKER = dict(HX8K, K=4, NIN_MAX=16, ACC_W=18, AMEM_WORDS=1024, WMEM_WORDS=256, PROG_LAYERS=4,
                  WIN_MAX=16, COUNTERS=0)
PAIRS = dict(HX8K, K=32, LANES=1)
STORE = dict(PAIRS, K=16, T=16, RQ=4, SCALED=1, AMEM_KIND=1, AMEM_WORDS=8192, WMEM_WORDS=64,
             PMEM_CH=2048, PROG_LAYERS=32, RES_WORDS=64, WIN_MAX=64, SKIP=1, WINDOWS=1, POOL_BITS=6,
             NIN_MAX=32, ACC_W=22)


def points():
    """The sets of parameters that are measured."""
    ecp5 = [ULX3S, ORANGECRAB, ROWS, dict(ULX3S, K=8, T=16, SKIP=0, WINDOWS=0, ACC_W=19, P=2),
            dict(ROWS, K=8, T=16, P=1, ACT_W=4, ACC_W=16, SCALED=0, NIN_MAX=20),
            dict(ROWS, K=16, T=8, P=1, FAN=0, POOL_BITS=0, SKIP=0, NIN_MAX=24),
            dict(ROWS, K=32, T=16, P=1, RQ=4, COUNTERS=0, WINDOWS=0, LOADER=1),
            dict(ORANGECRAB, K=16, T=8, ACT_W=4, SCALED=1, POOL_BITS=0, RQ=2)]
    ecp5 += [dict(ORANGECRAB, T=16, LANES=2, LOADER=1, SKIP=0, ACC_W=20, NIN_MAX=20)]
    ecp5 += [dict(ULX3S, SKIP=2, RQ=2, K=8),
             dict(ROWS, PIXELS=2), dict(ROWS, PIXELS=3, K=8, T=8, P=1, SCALED=0, SKIP=0, RQ=1),
             dict(ROWS, PIXELS=2, K=32, P=1, ACT_W=4, ACC_W=16, SKIP=2),
             dict(ROWS, PIXELS=4, K=16, T=8, P=1, RQ=2, SKIP=2, AMEM_WORDS=2048),
             dict(ROWS, PIXELS=2, P=1, RQ=4, SKIP=2, LOADER=1, COUNTERS=0, FAN=0),
             dict(ROWS, PIXELS=3, K=32, T=16, P=1, POOL_BITS=0, NIN_MAX=20)]
    ice40 = [HX8K, PAIRS, STORE, dict(HX8K, T=16, SKIP=1, RQ=2, NIN_MAX=32, LOADER=0),
             dict(PAIRS, K=16, WINDOWS=1, POOL_BITS=6, ACC_W=22),
             dict(PAIRS, K=16, T=8, ACT_W=4, ACC_W=16, SCALED=1),
             dict(HX8K, K=4, P=2, AMEM_WORDS=1024, SCALED=1, COUNTERS=0)]
    ice40 += [dict(HX8K, K=4, T=16, SKIP=1, WINDOWS=1, POOL_BITS=6, WIN_MAX=64, PROG_LAYERS=16)]
    ice40 += [dict(PAIRS, K=16, T=8, PIXELS=2, PIPE=1, WINDOWS=1),
              dict(PAIRS, K=8, T=8, PIXELS=4, PIPE=1, WINDOWS=1, RQ=2, AMEM_WORDS=1024)]
    dsp = [ICEBREAKER, dict(STORE, T=8, RQ=2, NIN_MAX=20, COUNTERS=0, SKIP=0),
           dict(PAIRS, K=16, RQ=2, SCALED=1, AMEM_WORDS=1024)]
    return ([{"family": "ecp5", "params": p, "dsp": False, "links": p is ULX3S} for p in ecp5]
            + [{"family": "ice40", "params": p, "dsp": False, "links": p is HX8K} for p in ice40]
            + [{"family": "ice40", "params": p, "dsp": True, "links": False} for p in dsp])
