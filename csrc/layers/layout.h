/* How a pass reads the parameters: a packed copy, whose rows are whole vectors.
 *
 *     compact: what the caller sees         | row 0: 30 numbers | row 1: 30 numbers | ...
 *     packed:  what passes read and update  | row 0: 30 numbers, 2 zeros | row 1: 30, 2 zeros | ...
 *
 * The first weights may lie in tiles instead, so that a part of a tile stays in the first-level
 * cache; here 100 columns in tiles of 64 (sparse_dense.c takes 80), the last filled up with zeros:
 *
 *     | row 0: columns 0..63 | row 1: 0..63 | ...   | row 0: columns 64..99, zeros | row 1 ...
 *
 * Gradients and optimiser states of a pass are laid out the same way. The zeros stay zeros. */
#ifndef NN_LAYERS_LAYOUT_H
#define NN_LAYERS_LAYOUT_H

#include "layers/plan.h"

/* Where a tensor lies: (rows, columns) in `n_tiles` tiles, each `rows` rows of `stride` numbers. */
typedef struct nn__place {
    size_t offset, count; /* in nn_reals; count = n_tiles rows stride */
    size_t rows, columns, stride, n_tiles;
} nn__place;

typedef struct nn__layout {
    nn__arena arena;   /* laid out, not opened: every copy, gradient, state is made like it */
    nn__place *places; /* (plan->n_tensors,) */
} nn__layout;

/* The layout of this plan's parameters, with the first weights in tiles of `tile` columns, a
 * multiple of NN_LANES, or in one where it is 0. Owned by the caller, also after an error.
 * Codes: NN_ERROR_MEMORY, NN_ERROR_SIZE. */
nn_status nn__layout_make(nn__layout *layout, const nn__plan *plan, size_t tile);
void nn__layout_free(nn__layout *layout);

/* packed = compact, compact = packed: all tensors. The zeros of `packed` are not touched. */
void nn__layout_pack(const nn__layout *layout, const nn__plan *plan, nn_real *packed,
                     const nn_real *compact);
void nn__layout_unpack(const nn__layout *layout, const nn__plan *plan, nn_real *compact,
                       const nn_real *packed);

#endif
