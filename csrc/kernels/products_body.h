/* The bodies of products.h's table, compiled once a CPU level: the including file has defined
 * NN_PRODUCT_TABLE_NAME.
 *
 * A row of W is taken in groups of up to GROUP vectors, which stay in registers. The functions with
 * a last argument nv are written for any number of vectors and compiled for each, which EACH_WIDTH
 * chooses. */
#include "kernels/products.h"
#include "kernels/simd.h"

/* The most vectors of a group: sums, or a row of dy, in registers; others are left for the factor
 * and the loads. */
enum { GROUP = 8, PAIRED = 4 }; /* up to PAIRED vectors even and odd entries are summed apart */

#define EACH_WIDTH(nv, call)                                                                       \
    switch (nv) {                                                                                  \
    case 1:                                                                                        \
        call(1);                                                                                   \
        break;                                                                                     \
    case 2:                                                                                        \
        call(2);                                                                                   \
        break;                                                                                     \
    case 3:                                                                                        \
        call(3);                                                                                   \
        break;                                                                                     \
    case 4:                                                                                        \
        call(4);                                                                                   \
        break;                                                                                     \
    case 5:                                                                                        \
        call(5);                                                                                   \
        break;                                                                                     \
    case 6:                                                                                        \
        call(6);                                                                                   \
        break;                                                                                     \
    case 7:                                                                                        \
        call(7);                                                                                   \
        break;                                                                                     \
    default:                                                                                       \
        call(8);                                                                                   \
    }

/* How many vectors the next group takes: `left` of them are split as evenly as can be into the
 * fewest groups of up to `most`. */
static inline size_t next_group(size_t left, size_t most) {
    size_t groups = (left - 1) / most + 1;
    return (left - 1) / groups + 1;
}

/* ---- sparse, forward ------------------------------------------------------------------------ */

/* sum += value[e] W[column[e]] over the entries from `first` whose column is below `limit`; returns
 * the entry after them. */
static SIMD_INLINE uint32_t add_rows(vec *sum, const nn_real *restrict W, size_t stride,
                                     const nn__entries *x, uint32_t first, uint32_t end,
                                     uint32_t limit, const int nv) {
    const uint32_t *restrict column = x->column;
    const nn_real *restrict value = x->value;
    uint32_t e = first;
    for (; e < end && column[e] < limit; e++) {
        const nn_real *w = W + column[e] * stride;
        const vec factor = vec_all(value[e]);
        for (int v = 0; v < nv; v++) sum[v] = vec_fma(factor, vec_load(w + v * LANES), sum[v]);
    }
    return e;
}

/* The same over all entries first .. end - 1, every other into a second sum: a few vectors alone
 * would wait for each other. */
static SIMD_INLINE void add_pairs(vec *sum, const nn_real *restrict W, size_t stride,
                                  const nn__entries *x, uint32_t first, uint32_t end,
                                  const int nv) {
    const uint32_t *restrict column = x->column;
    const nn_real *restrict value = x->value;
    vec other[GROUP];
    for (int v = 0; v < nv; v++) other[v] = vec_all(0);
    uint32_t e = first;
    for (; e + 2 <= end; e += 2) {
        const nn_real *w = W + column[e] * stride, *u = W + column[e + 1] * stride;
        const vec factor = vec_all(value[e]), next = vec_all(value[e + 1]);
        for (int v = 0; v < nv; v++) {
            sum[v] = vec_fma(factor, vec_load(w + v * LANES), sum[v]);
            other[v] = vec_fma(next, vec_load(u + v * LANES), other[v]);
        }
    }
    if (e < end) {
        const nn_real *w = W + column[e] * stride;
        const vec factor = vec_all(value[e]);
        for (int v = 0; v < nv; v++) sum[v] = vec_fma(factor, vec_load(w + v * LANES), sum[v]);
    }
    for (int v = 0; v < nv; v++) sum[v] = vec_add(sum[v], other[v]);
}

/* y = scale x W + b for one row of x and one group of columns. */
static SIMD_INLINE void forward_row(nn_real *y, const nn_real *W, size_t stride,
                                    const nn__entries *x, size_t r, const nn_real *b, nn_real scale,
                                    const int nv) {
    vec sum[GROUP];
    for (int v = 0; v < nv; v++) sum[v] = vec_all(0);
    if (nv <= PAIRED)
        add_pairs(sum, W, stride, x, x->start[r], x->start[r + 1], nv);
    else
        add_rows(sum, W, stride, x, x->start[r], x->start[r + 1], UINT32_MAX, nv);
    for (int v = 0; v < nv; v++)
        vec_store(y + v * LANES, vec_fma(vec_all(scale), sum[v], vec_load(b + v * LANES)));
}

static SIMD_INLINE void forward_rows(nn_real *restrict y, size_t ld, const nn_real *W,
                                     size_t stride, const nn__entries *x, const nn_real *b,
                                     nn_real scale, const int nv) {
    for (size_t r = 0; r < x->rows; r++) forward_row(y + r * ld, W, stride, x, r, b, scale, nv);
}

/* y += x W for the entries of every row from its cursor to `limit`; `move`: the cursors follow,
 * with the last group of columns. */
static SIMD_INLINE void forward_block(nn_real *restrict y, size_t ld, const nn_real *W,
                                      size_t stride, const nn__entries *x,
                                      uint32_t *restrict cursor, uint32_t limit, bool move,
                                      const int nv) {
    for (size_t r = 0; r < x->rows; r++) {
        vec sum[GROUP];
        for (int v = 0; v < nv; v++) sum[v] = vec_load(y + r * ld + v * LANES);
        uint32_t e = add_rows(sum, W, stride, x, cursor[r], x->start[r + 1], limit, nv);
        for (int v = 0; v < nv; v++) vec_store(y + r * ld + v * LANES, sum[v]);
        if (move) cursor[r] = e;
    }
}

/* A tile in one go: where it is the only one, unless blocks pay (nn__forward_in_blocks). */
static void forward_tile(nn_real *restrict y, size_t ld, const nn_real *W, size_t stride,
                         size_t width, const nn__entries *x, const nn_real *b, nn_real scale) {
    for (size_t at = 0, group; at < width; at += group * LANES) {
        group = next_group((width - at) / LANES, GROUP);
#define FORWARD(nv) forward_rows(y + at, ld, W + at, stride, x, b + at, scale, nv)
        EACH_WIDTH(group, FORWARD)
#undef FORWARD
    }
}

/* A tile in blocks of `block` inputs: one of several, or a wide one. */
static void forward_tile_blocks(nn_real *restrict y, size_t ld, const nn_real *W, size_t stride,
                                size_t width, const nn__entries *x, const nn_real *b, nn_real scale,
                                size_t n_in, size_t block, uint32_t *restrict cursor) {
    for (size_t r = 0; r < x->rows; r++) {
        cursor[r] = x->start[r];
        memset(y + r * ld, 0, width * sizeof *y);
    }
    for (size_t first = 0; first < n_in; first += block)
        for (size_t at = 0, group; at < width; at += group * LANES) {
            group = next_group((width - at) / LANES, GROUP);
            const uint32_t limit = (uint32_t)(first + block);
            const bool last = at + group * LANES == width;
#define FORWARD(nv) forward_block(y + at, ld, W + at, stride, x, cursor, limit, last, nv)
            EACH_WIDTH(group, FORWARD)
#undef FORWARD
        }
    for (size_t r = 0; r < x->rows; r++)
        for (size_t j = 0; j < width; j += LANES)
            vec_store(y + r * ld + j,
                      vec_fma(vec_all(scale), vec_load(y + r * ld + j), vec_load(b + j)));
}

static void sparse_forward(nn_real *restrict y, size_t ld, const nn__entries *x,
                           const nn__weights *W, const nn_real *restrict b, nn_real scale,
                           uint32_t *restrict cursor) {
    const size_t block = NN_BLOCK_BYTES / (W->stride * sizeof(nn_real));
    for (size_t at = 0, t = 0; at < W->columns; at += W->stride, t++) {
        const nn_real *tile = W->values + t * W->n_in * W->stride;
        const size_t left = W->columns - at, width = left < W->stride ? left : W->stride;
        if (cursor != NULL)
            forward_tile_blocks(y + at, ld, tile, W->stride, width, x, b + at, scale, W->n_in,
                                block, cursor);
        else
            forward_tile(y, ld, tile, W->stride, width, x, b, scale);
    }
}

/* ---- sparse, update ------------------------------------------------------------------------- */

/* The arrays of x are named apart, here and below: a vector store might change any memory that is
 * not restrict, and then even their addresses would be read again for every entry. */
static SIMD_INLINE void update_rows(nn_real *restrict W, size_t stride, const nn__entries *x,
                                    const nn_real *restrict dy, size_t ld, nn_real c,
                                    const int nv) {
    const uint32_t *restrict column = x->column, *restrict start = x->start;
    const nn_real *restrict value = x->value;
    const size_t rows = x->rows;
    for (size_t r = 0; r < rows; r++) {
        vec d[GROUP];
        for (int v = 0; v < nv; v++) d[v] = vec_mul(vec_all(c), vec_load(dy + r * ld + v * LANES));
        for (uint32_t e = start[r], end = start[r + 1]; e < end; e++) {
            nn_real *w = W + column[e] * stride;
            const vec factor = vec_all(value[e]);
            for (int v = 0; v < nv; v++)
                vec_store(w + v * LANES, vec_fma(factor, d[v], vec_load(w + v * LANES)));
        }
    }
}

static void sparse_update_rows(const nn__weights *W, const nn__entries *x,
                               const nn_real *restrict dy, size_t ld, nn_real c) {
    for (size_t at = 0, group; at < W->columns; at += group * LANES) {
        group = next_group((W->columns - at) / LANES, GROUP);
#define UPDATE(nv) update_rows(W->values + at, W->stride, x, dy + at, ld, c, nv)
        EACH_WIDTH(group, UPDATE)
#undef UPDATE
    }
}

/* sum += value[e] dy[row[e]] over a column's entries first .. end - 1. */
static SIMD_INLINE void add_column(vec *sum, const uint32_t *restrict row,
                                   const nn_real *restrict value, uint32_t first, uint32_t end,
                                   const nn_real *restrict dy, size_t ld, const int nv) {
    for (uint32_t e = first; e < end; e++) {
        const nn_real *d = dy + row[e] * ld;
        const vec factor = vec_all(value[e]);
        for (int v = 0; v < nv; v++) sum[v] = vec_fma(factor, vec_load(d + v * LANES), sum[v]);
    }
}

static SIMD_INLINE void update_columns(nn_real *restrict W, size_t stride, size_t first, size_t end,
                                       const nn__columns *x, const nn_real *restrict dy, size_t ld,
                                       nn_real c, const int nv) {
    const uint32_t *restrict start = x->start, *restrict row = x->row;
    const nn_real *restrict value = x->value;
    const vec factor = vec_all(c); /* last: c times x alone may be too large for a number */
    for (size_t p = first; p < end; p++) {
        const uint32_t e = start[p], e_end = start[p + 1];
        if (e == e_end) continue;
        nn_real *w = W + p * stride;
        vec sum[GROUP];
        for (int v = 0; v < nv; v++) sum[v] = vec_all(0);
        add_column(sum, row, value, e, e_end, dy, ld, nv);
        for (int v = 0; v < nv; v++)
            vec_store(w + v * LANES, vec_fma(factor, sum[v], vec_load(w + v * LANES)));
    }
}

static void sparse_update_columns(const nn__weights *W, const nn__columns *x, size_t first,
                                  size_t n, const nn_real *restrict dy, size_t ld, nn_real c) {
    for (size_t at = 0, t = 0; at < W->columns; at += W->stride, t++) {
        nn_real *tile = W->values + t * W->n_in * W->stride;
        const size_t left = W->columns - at, width = left < W->stride ? left : W->stride;
        for (size_t j = 0, group; j < width; j += group * LANES) {
            group = next_group((width - j) / LANES, GROUP);
#define UPDATE(nv) update_columns(tile + j, W->stride, first, first + n, x, dy + at + j, ld, c, nv)
            EACH_WIDTH(group, UPDATE)
#undef UPDATE
        }
    }
}

static SIMD_INLINE void update_momentum(nn_real *restrict W, nn_real *restrict velocity,
                                        size_t stride, size_t first, size_t end,
                                        const nn__columns *x, const nn_real *restrict dy, size_t ld,
                                        const nn__momentum *m, const int nv) {
    const uint32_t *restrict start = x->start, *restrict row = x->row;
    const nn_real *restrict value = x->value;
    const vec eta = vec_all(-m->eta), mu = vec_all(m->mu), l2 = vec_all(m->l2);
    const bool nesterov = m->nesterov;
    for (size_t p = first; p < end; p++) {
        nn_real *w = W + p * stride, *u = velocity + p * stride;
        vec old[GROUP], g[GROUP];
        for (int v = 0; v < nv; v++) {
            old[v] = vec_load(w + v * LANES);
            g[v] = vec_mul(l2, old[v]);
        }
        add_column(g, row, value, start[p], start[p + 1], dy, ld, nv);
        for (int v = 0; v < nv; v++) {
            const vec step = vec_mul(eta, g[v]);
            const vec moved = vec_fma(mu, vec_load(u + v * LANES), step);
            const vec by = nesterov ? vec_fma(mu, moved, step) : moved;
            vec_store(u + v * LANES, moved);
            vec_store(w + v * LANES, vec_add(old[v], by));
        }
    }
}

static void sparse_update_momentum(const nn__weights *W, const nn__weights *v, const nn__columns *x,
                                   size_t first, size_t n, const nn_real *restrict dy, size_t ld,
                                   const nn__momentum *momentum) {
    const nn__momentum m = *momentum; /* a copy: no store may change it */
    for (size_t at = 0, t = 0; at < W->columns; at += W->stride, t++) {
        const size_t tile = t * W->n_in * W->stride, left = W->columns - at;
        const size_t width = left < W->stride ? left : W->stride;
        for (size_t j = 0, group; j < width; j += group * LANES) {
            group = next_group((width - j) / LANES, GROUP);
#define UPDATE(nv)                                                                                 \
    update_momentum(W->values + tile + j, v->values + tile + j, W->stride, first, first + n, x,    \
                    dy + at + j, ld, &m, nv)
            EACH_WIDTH(group, UPDATE)
#undef UPDATE
        }
    }
}

/* ---- dense ---------------------------------------------------------------------------------- */

/* Vectors of a group when several rows are worked on at once, and how many rows: their sums take
 * most of the 32 registers of AVX-512, or of the 16 of others. */
enum { DENSE_GROUP = 3, ROWS = 8, WIDE_ROWS = LANES * sizeof(nn_real) == 64 ? 8 : 4 };

#define EACH_DENSE_WIDTH(nv, call)                                                                 \
    switch (nv) {                                                                                  \
    case 1:                                                                                        \
        call(1, ROWS);                                                                             \
        break;                                                                                     \
    case 2:                                                                                        \
        call(2, WIDE_ROWS);                                                                        \
        break;                                                                                     \
    default:                                                                                       \
        call(3, WIDE_ROWS);                                                                        \
    }

/* y = x W + b for `rows` rows of x, known to the compiler, and one group of columns. */
static SIMD_INLINE void forward_few(nn_real *restrict y, size_t ldy, const nn_real *restrict x,
                                    size_t ldx, const nn_real *W, size_t stride, size_t n_in,
                                    const nn_real *b, const int rows, const int nv) {
    vec sum[ROWS][DENSE_GROUP];
    for (int v = 0; v < nv; v++) {
        const vec bias = b != NULL ? vec_load(b + v * LANES) : vec_all(0);
        for (int r = 0; r < rows; r++) sum[r][v] = bias;
    }
    for (size_t k = 0; k < n_in; k++) {
        vec w[DENSE_GROUP];
        for (int v = 0; v < nv; v++) w[v] = vec_load(W + k * stride + (size_t)v * LANES);
        for (int r = 0; r < rows; r++) {
            const vec value = vec_all(x[(size_t)r * ldx + k]);
            for (int v = 0; v < nv; v++) sum[r][v] = vec_fma(value, w[v], sum[r][v]);
        }
    }
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < nv; v++) vec_store(y + (size_t)r * ldy + v * LANES, sum[r][v]);
}

static SIMD_INLINE void forward_group(nn_real *restrict y, size_t ldy, const nn_real *restrict x,
                                      size_t ldx, size_t rows, const nn_real *W, size_t stride,
                                      size_t n_in, const nn_real *b, const int nv, const int many) {
    size_t r = 0;
    for (; r + (size_t)many <= rows; r += (size_t)many)
        forward_few(y + r * ldy, ldy, x + r * ldx, ldx, W, stride, n_in, b, many, nv);
    for (; r + 2 <= rows; r += 2)
        forward_few(y + r * ldy, ldy, x + r * ldx, ldx, W, stride, n_in, b, 2, nv);
    if (r < rows) forward_few(y + r * ldy, ldy, x + r * ldx, ldx, W, stride, n_in, b, 1, nv);
}

static void dense_forward(nn_real *restrict y, size_t ldy, const nn_real *restrict x, size_t ldx,
                          size_t rows, const nn__weights *W, const nn_real *restrict b) {
    for (size_t at = 0, group; at < W->columns; at += group * LANES) {
        const nn_real *bias = b != NULL ? b + at : NULL;
        group = next_group((W->columns - at) / LANES, DENSE_GROUP);
#define FORWARD(nv, many)                                                                          \
    forward_group(y + at, ldy, x, ldx, rows, W->values + at, W->stride, W->n_in, bias, nv, many)
        EACH_DENSE_WIDTH(group, FORWARD)
#undef FORWARD
    }
}

/* Rows k .. k + n - 1 of W, n known to the compiler:   W = beta W + c x^T dy. */
static SIMD_INLINE void update_few(nn_real *restrict W, size_t stride, const nn_real *restrict x,
                                   size_t ldx, const nn_real *restrict dy, size_t ldy, size_t rows,
                                   nn_real beta, nn_real c, const int n, const int nv) {
    vec sum[ROWS][DENSE_GROUP];
    const vec keep = vec_all(beta), factor = vec_all(c);
    for (int k = 0; k < n; k++)
        for (int v = 0; v < nv; v++)
            sum[k][v] = beta == 0 ? vec_all(0)
                                  : vec_mul(keep, vec_load(W + (size_t)k * stride + v * LANES));
    for (size_t r = 0; r < rows; r++) {
        vec d[DENSE_GROUP];
        for (int v = 0; v < nv; v++)
            d[v] = vec_mul(factor, vec_load(dy + r * ldy + (size_t)v * LANES));
        for (int k = 0; k < n; k++) {
            const vec value = vec_all(x[r * ldx + (size_t)k]);
            for (int v = 0; v < nv; v++) sum[k][v] = vec_fma(value, d[v], sum[k][v]);
        }
    }
    for (int k = 0; k < n; k++)
        for (int v = 0; v < nv; v++) vec_store(W + (size_t)k * stride + v * LANES, sum[k][v]);
}

static SIMD_INLINE void update_group(nn_real *restrict W, size_t stride, size_t n_in,
                                     const nn_real *restrict x, size_t ldx,
                                     const nn_real *restrict dy, size_t ldy, size_t rows,
                                     nn_real beta, nn_real c, const int nv, const int many) {
    size_t k = 0;
    for (; k + (size_t)many <= n_in; k += (size_t)many)
        update_few(W + k * stride, stride, x + k, ldx, dy, ldy, rows, beta, c, many, nv);
    for (; k + 2 <= n_in; k += 2)
        update_few(W + k * stride, stride, x + k, ldx, dy, ldy, rows, beta, c, 2, nv);
    for (; k < n_in; k++)
        update_few(W + k * stride, stride, x + k, ldx, dy, ldy, rows, beta, c, 1, nv);
}

static void dense_update(const nn__weights *W, const nn_real *restrict x, size_t ldx,
                         const nn_real *restrict dy, size_t ldy, size_t rows, nn_real beta,
                         nn_real c) {
    for (size_t at = 0, group; at < W->columns; at += group * LANES) {
        group = next_group((W->columns - at) / LANES, DENSE_GROUP);
#define UPDATE(nv, many)                                                                           \
    update_group(W->values + at, W->stride, W->n_in, x, ldx, dy + at, ldy, rows, beta, c, nv, many)
        EACH_DENSE_WIDTH(group, UPDATE)
#undef UPDATE
    }
}

const nn__product_kernels NN_PRODUCT_TABLE_NAME = {
    .sparse_forward = sparse_forward,
    .sparse_update_rows = sparse_update_rows,
    .sparse_update_columns = sparse_update_columns,
    .sparse_update_momentum = sparse_update_momentum,
    .dense_forward = dense_forward,
    .dense_update = dense_update,
};
