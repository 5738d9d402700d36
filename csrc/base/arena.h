/* Memory: sizes multiplied without overflow, the allocator, and arenas.
 *
 * An arena is one block that holds many tensors. It is laid out first and allocated once:
 *
 *     offset = nn__arena_reserve(&arena, count);     for every tensor
 *     nn__arena_open(&arena);
 *     nn_real *tensor = arena.values + offset;
 *
 *     | tensor | slack >= 256 bytes | tensor | slack | ...        every tensor on 64 bytes
 *
 * The slack is there because small-matrix kernels of BLIS may read past an operand's end: up to 256
 * bytes, and where an operand is read by columns (dx = dy W^T) a whole row more, for which whoever
 * reserves a matrix asks. It starts as zeros and is never written. */
#ifndef NN_BASE_ARENA_H
#define NN_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/real.h"
#include "base/status.h"

/* *product = a * b. Returns false, and leaves *product alone, when that overflows. */
bool nn__multiply(size_t a, size_t b, size_t *product);

/* `count` zeroed items of `size` bytes on a 64-byte boundary, or NULL (no memory, or an overflow).
 * Freed with nn__release. Any thread. */
void *nn__allocate(size_t count, size_t size);

/* The same with the items as they come: for large blocks that are written at once. */
void *nn__allocate_raw(size_t count, size_t size);

/* Frees what nn__allocate gave; NULL is allowed. */
void nn__release(void *memory);

/* How often nn__allocate or nn__allocate_raw has been called in this process: a step that leaves it
 * as it was has allocated nothing. */
size_t nn__allocation_count(void);

/* For tests: the k-th call of nn__allocate from now on (1 is the next) returns NULL, those after it
 * work again. 0 switches this off. */
void nn__allocation_fail_at(size_t k);

/* Numbers in 64 bytes: a whole number of vectors on every CPU. Rows of a workspace and of packed
 * parameters are padded to a multiple of it. */
enum { NN_LANES = 64 / sizeof(nn_real) };

/* The least multiple of NN_LANES that is at least n. */
static inline size_t nn__padded(size_t n) {
    return (n + NN_LANES - 1) / NN_LANES * NN_LANES;
}

typedef struct nn__arena {
    nn_real *values; /* (size,), NULL until opened */
    size_t size;     /* nn_reals reserved so far, slack included */
    bool overflow;   /* a reservation did not fit into size_t */
} nn__arena;

/* Reserves `count` nn_reals and their slack; returns the tensor's offset. Before opening. */
size_t nn__arena_reserve(nn__arena *arena, size_t count);

/* Allocates what was reserved, zeroed. NN_ERROR_MEMORY; NN_ERROR_SIZE after an overflow. */
nn_status nn__arena_open(nn__arena *arena);

/* The tensor at `offset`, its slack forbidden to instrumented code in builds with
 * AddressSanitizer. Only for arenas that are never read or written as a whole. */
nn_real *nn__arena_tensor(const nn__arena *arena, size_t offset, size_t count);

/* Frees the block; the arena is then as if never opened. */
void nn__arena_close(nn__arena *arena);

#endif
