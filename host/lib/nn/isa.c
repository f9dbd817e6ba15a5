/* SPDX-License-Identifier: Apache-2.0 */
/* What the processor can do, as oneDNN sees it (ONEDNN_MAX_CPU_ISA can take it away). */
#include <oneapi/dnnl/dnnl.h>

#include "conv.h"

int flx_conv_has_bf16(void)
{
    unsigned want = dnnl_cpu_isa_avx512_core_bf16;
    return ((unsigned)dnnl_get_effective_cpu_isa() & want) == want;
}

int flx_conv_has_vnni(void)
{
    unsigned isa = (unsigned)dnnl_get_effective_cpu_isa();
    unsigned wide = dnnl_cpu_isa_avx512_core_vnni, narrow = dnnl_cpu_isa_avx2_vnni;
    return (isa & wide) == wide || (isa & narrow) == narrow;
}
