// SPDX-License-Identifier: Apache-2.0
// flx_param_check: stops elaboration when a parameter of flx_core is impossible. Verilog-2005
// has no $error, so an impossible value asks for a module that does not exist and whose
// name is the message.
`default_nettype none
`include "flx_xornet.vh"
module flx_param_check #(
    parameter K           = 8,
    parameter T           = 8,
    parameter P           = 1,
    parameter N_OUT       = 32,
    parameter NIN_MAX     = 32,
    parameter ACT_W       = 8,
    parameter ACC_W       = 22,
    parameter LANES       = 0,
    parameter FAN         = 0,
    parameter RQ          = 4,
    parameter AMEM_WORDS  = 1024,
    parameter WMEM_WORDS  = 1024,
    parameter PMEM_CH     = 1024,
    parameter PROG_LAYERS = 16,
    parameter RES_WORDS   = 16,
    parameter WIN_MAX     = 32,
    parameter SKIP        = 1,
    parameter WINDOWS     = 1,
    parameter SCALED      = 0,
    parameter POOL_BITS   = 6,
    parameter AMEM_KIND   = 0,
    parameter LOADER      = 0,
    parameter PIPE        = 0,
    parameter PIXELS      = 1,
    parameter COUNTERS    = 1
) ();
    localparam KB    = K / 4;
    localparam READS = (T / 4 % KB == 0) ? T / 4 / KB
                     : (KB % (T / 4) == 0) ? 1 : (T / 4 + KB - 2) / KB + 1;

    generate
        if (K < 4 || K > 64 || K % 4 != 0) begin : g_check_k
            flx_error_K_must_be_a_multiple_of_4_from_4_to_64 stop ();
        end
        if (T < 4 || T > 64 || T % 4 != 0) begin : g_check_t
            flx_error_T_must_be_a_multiple_of_4_from_4_to_64 stop ();
        end
        if (N_OUT % 4 != 0 || T % (N_OUT / 4) != 0) begin : g_check_t0
            flx_error_T_must_be_a_multiple_of_N_OUT_over_4 stop ();
        end
        if (N_OUT != `FLX_XOR_NOUT) begin : g_check_nout
            flx_error_N_OUT_differs_from_flx_xornet_vh stop ();
        end
        if (NIN_MAX < `FLX_XOR_NMIN || NIN_MAX > `FLX_XOR_NMAX) begin : g_check_nin
            flx_error_NIN_MAX_is_outside_the_range_of_flx_xornet_vh stop ();
        end
        if (P < 1 || P > 127) begin : g_check_p
            flx_error_P_must_be_1_to_127 stop ();
        end
        if (RQ != 1 && RQ != 2 && RQ != 4) begin : g_check_rq
            flx_error_RQ_must_be_1_2_or_4 stop ();
        end
        if (ACT_W < 1 || ACT_W > 8) begin : g_check_act
            flx_error_ACT_W_must_be_1_to_8 stop ();
        end
        if (ACC_W < ACT_W + $clog2(K) + 2 || ACC_W > 28) begin : g_check_acc
            flx_error_ACC_W_must_hold_one_word_and_be_at_most_28 stop ();
        end
        if (LANES < 0 || LANES > 2 || FAN < 0) begin : g_check_lanes
            flx_error_LANES_must_be_0_1_or_2_and_FAN_not_negative stop ();
        end
        if (AMEM_WORDS < 4 || AMEM_WORDS > 65536) begin : g_check_amem
            flx_error_AMEM_WORDS_must_be_4_to_65536 stop ();
        end
        if (WMEM_WORDS < 4 || WMEM_WORDS > 65536 || (1 << $clog2(WMEM_WORDS)) != WMEM_WORDS) begin : g_check_wmem
            flx_error_WMEM_WORDS_must_be_a_power_of_two_from_4_to_65536 stop ();
        end
        if (PMEM_CH < 4 * RQ || PMEM_CH > 65536 || PMEM_CH % RQ != 0) begin : g_check_pmem
            flx_error_PMEM_CH_must_be_a_multiple_of_RQ_from_16_to_65536 stop ();
        end
        if (PROG_LAYERS < 1 || PROG_LAYERS > 64) begin : g_check_prog
            flx_error_PROG_LAYERS_must_be_1_to_64 stop ();
        end
        if (RES_WORDS < 1) begin : g_check_res
            flx_error_RES_WORDS_must_be_at_least_1 stop ();
        end
        if (WIN_MAX < 4 || WIN_MAX > 252 || WIN_MAX % 4 != 0) begin : g_check_win
            flx_error_WIN_MAX_must_be_a_multiple_of_4_from_4_to_252 stop ();
        end
        if (SKIP != 0 && ((SKIP != 1 && SKIP != 2) || READS > $clog2(K) + 2 || ACC_W / 2 < ACT_W)) begin : g_check_skip
            flx_error_SKIP_must_be_0_or_with_few_words_for_T_codes_1_or_2 stop ();
        end
        if ((WINDOWS != 0 && WINDOWS != 1) || SCALED < 0 || SCALED > 2) begin : g_check_options
            flx_error_WINDOWS_must_be_0_or_1_and_SCALED_0_to_2 stop ();
        end
        if (PIPE != 0 && (PIPE != 1 || (LANES == 1 && PIXELS == 1))) begin : g_check_pipe
            flx_error_PIPE_must_be_0_or_without_pairs_1 stop ();
        end
        if (PIXELS != 1 && (PIXELS < 1 || PIXELS > 4 || PIPE != 1 || WINDOWS != 1 || K % T != 0)) begin : g_check_pixels
            flx_error_PIXELS_must_be_1_or_to_4_with_PIPE_WINDOWS_and_K_a_multiple_of_T stop ();
        end
        if (AMEM_KIND != 0 && (AMEM_KIND != 1 || PIPE != 0)) begin : g_check_store
            flx_error_AMEM_KIND_must_be_0_or_without_PIPE_1 stop ();
        end
        if ((LOADER != 0 && LOADER != 1) || (COUNTERS != 0 && COUNTERS != 1)) begin : g_check_parts
            flx_error_LOADER_and_COUNTERS_must_be_0_or_1 stop ();
        end
        if (POOL_BITS < 0 || POOL_BITS > 8) begin : g_check_pool
            flx_error_POOL_BITS_must_be_0_to_8 stop ();
        end
    endgenerate
endmodule
`default_nettype wire
