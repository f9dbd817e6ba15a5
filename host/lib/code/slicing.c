/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "flexor/status.h"
#include "flexor/xornet.h"

#define K0          4
#define MAX_WEIGHTS INT32_MAX

static int ceil_div(int a, int b)
{
    return a / b + (a % b != 0);
}

/* Whether the tensor has 1 .. MAX_WEIGHTS weights. */
static int shape_fits(const int dims[], int n)
{
    int64_t weights = 1;
    for (int i = 0; i < n; i++) {
        if (dims[i] < 1)
            return 0;
        weights *= dims[i];
        if (weights > MAX_WEIGHTS)
            return 0;
    }
    return 1;
}

int flx_slicing_init(struct flx_slicing *s, enum flx_slice_order order, int n_out, int out_c,
                     int kh, int kw, int in_c, int row_packed)
{
    if (order != FLX_SLICE_TILE && order != FLX_SLICE_FLAT)
        return flx_fail(FLX_ERR_ARG, "slicing: unknown order %d", (int)order);
    if (n_out < 1 || n_out > FLX_XOR_MAX || (order == FLX_SLICE_TILE && n_out % K0))
        return flx_fail(FLX_ERR_ARG, "slicing: n_out %d must be 1 to %d%s", n_out, FLX_XOR_MAX,
                        order == FLX_SLICE_TILE ? " and a multiple of 4 in tile order" : "");
    if (!shape_fits((const int[]){out_c, kh, kw, in_c}, 4))
        return flx_fail(FLX_ERR_ARG, "slicing: impossible weight shape %d x %d x %d x %d", out_c,
                        kh, kw, in_c);
    memset(s, 0, sizeof *s);
    s->order = order;
    s->n_out = n_out;
    s->out_c = out_c;
    s->kh = kh;
    s->kw = kw;
    s->in_c = in_c;
    s->row_packed = row_packed != 0;
    if (order == FLX_SLICE_FLAT) {
        size_t weights = (size_t)out_c * (size_t)kh * (size_t)kw * (size_t)in_c;
        s->n_slices = (weights + (size_t)n_out - 1) / (size_t)n_out;
        return FLX_OK;
    }
    s->k0 = K0;
    s->t0 = n_out / K0;
    s->groups = ceil_div(out_c, s->t0);
    s->run_chunks = row_packed ? ceil_div(kw * in_c, K0) : kw * ceil_div(in_c, K0);
    s->n_slices = (size_t)s->groups * (size_t)kh * (size_t)s->run_chunks;
    return FLX_OK;
}

static ptrdiff_t ohwi(const struct flx_slicing *s, ptrdiff_t o, ptrdiff_t ky, ptrdiff_t kx,
                      ptrdiff_t c)
{
    return ((o * s->kh + ky) * s->kw + kx) * s->in_c + c;
}

static ptrdiff_t flat_index(const struct flx_slicing *s, size_t slice, int row)
{
    ptrdiff_t at = (ptrdiff_t)slice * s->n_out + row;
    ptrdiff_t o = at % s->out_c, rest = at / s->out_c;
    ptrdiff_t c = rest % s->in_c, place = rest / s->in_c;
    if (place >= (ptrdiff_t)s->kh * s->kw)
        return -1;
    return ohwi(s, o, place / s->kw, place % s->kw, c);
}

static ptrdiff_t tile_index(const struct flx_slicing *s, size_t slice, int row)
{
    ptrdiff_t chunk = (ptrdiff_t)slice % s->run_chunks, rest = (ptrdiff_t)slice / s->run_chunks;
    ptrdiff_t ky = rest % s->kh, o = rest / s->kh * s->t0 + row % s->t0;
    int kk = row / s->t0;
    if (o >= s->out_c)
        return -1;
    if (s->row_packed) {
        ptrdiff_t at = chunk * s->k0 + kk; /* kx major, c minor */
        return at < (ptrdiff_t)s->kw * s->in_c ? ohwi(s, o, ky, at / s->in_c, at % s->in_c) : -1;
    }
    int chunks = ceil_div(s->in_c, s->k0); /* of one kernel position */
    ptrdiff_t c = chunk % chunks * s->k0 + kk;
    return c < s->in_c ? ohwi(s, o, ky, chunk / chunks, c) : -1;
}

ptrdiff_t flx_slicing_index(const struct flx_slicing *s, size_t slice, int row)
{
    return s->order == FLX_SLICE_FLAT ? flat_index(s, slice, row) : tile_index(s, slice, row);
}
