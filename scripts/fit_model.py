# SPDX-License-Identifier: Apache-2.0
"""What scripts/fit-calibrate measures: units of the RTL and sets of parameters."""

UNITS = """flx_link flx_core flx_prog_mem flx_sequencer flx_weight_buf flx_decrypt_array
flx_image_loader flx_image_loader_narrow flx_requant_ctl flx_param_mem flx_station flx_act_mem
flx_lanes flx_requant flx_store flx_counters flx_readout flx_uart flx_usb_device""".split()

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


def points(known):
    """The parameters of flx_top that are measured; those that it lacks are left out."""
    ecp5 = [ULX3S, ORANGECRAB, ROWS, dict(ULX3S, K=8, T=16, SKIP=0, WINDOWS=0, ACC_W=19, P=2),
            dict(ROWS, K=8, T=16, P=1, ACT_W=4, ACC_W=15, SCALED=0, NIN_MAX=20),
            dict(ROWS, K=16, T=8, P=1, FAN=0, POOL_BITS=0, SKIP=0, NIN_MAX=24),
            dict(ROWS, K=32, T=16, P=1, RQ=4, COUNTERS=0, WINDOWS=0, LOADER=1),
            dict(ORANGECRAB, K=16, T=8, ACT_W=4, SCALED=1, POOL_BITS=0, RQ=2)]
    ecp5 += [dict(ROWS, PIXELS=2), dict(ROWS, PIXELS=3, K=8, T=8, P=1, SCALED=0, SKIP=0),
             dict(ROWS, PIXELS=2, K=32, P=1, ACT_W=4, ACC_W=15)] if "PIXELS" in known else []
    ice40 = [HX8K, PAIRS, STORE, dict(HX8K, T=16, SKIP=1, RQ=2, NIN_MAX=32, LOADER=0),
             dict(PAIRS, K=16, WINDOWS=1, POOL_BITS=6, ACC_W=22),
             dict(PAIRS, K=16, T=8, ACT_W=4, ACC_W=16, SCALED=1),
             dict(HX8K, K=4, P=2, AMEM_WORDS=1024, SCALED=1, COUNTERS=0)]
    dsp = [ICEBREAKER, dict(STORE, K=32, T=8, RQ=2, NIN_MAX=20, COUNTERS=0, SKIP=0)]
    return ([{"family": "ecp5", "params": p} for p in ecp5]
            + [{"family": "ice40", "params": p} for p in ice40]
            + [{"family": "ice40", "params": p, "dsp": True} for p in dsp])
