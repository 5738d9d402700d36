/* Augmentation of an array: block after block gathered, changed, and written as x's numbers. */
#include <string.h>

#include "base/threads.h"
#include "public/objects.h"

/* Numbers of a block, but one image at least, and images of a block at most. */
enum { BLOCK_NUMBERS = 1 << 16, BLOCK_IMAGES = 64 };

enum { REAL_DTYPE = sizeof(nn_real) == sizeof(float) ? NN_DTYPE_FLOAT32 : NN_DTYPE_FLOAT64 };

/* Pixels in [0, 1] as bytes, rounded to the nearest. */
static void write_bytes(uint8_t *out, const nn_real *pixels, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = (uint8_t)(int32_t)(pixels[i] * 255 + (nn_real)0.5);
}

/* Rows first .. first + n - 1, changed, into `block` and from there as bytes to out, or, without a
 * block, straight into out. */
static void change_block(const nn__augment *augment, const nn_input *x, size_t first, size_t n,
                         size_t n_threads, nn_real *block, void *out) {
    const size_t width = x->n_columns;
    nn_real *images = block != NULL ? block : (nn_real *)out + first * width;
    nn__work_begin();
    nn__rows_gather(images, width, x, NULL, first, n);
    nn__augment_rows(augment, images, width, NULL, first, n, n_threads);
    nn__work_end();
    if (block != NULL) write_bytes((uint8_t *)out + first * width, block, n * width);
}

static nn_status change_all(const nn__augment *augment, const nn_input *x, size_t rows,
                            size_t n_threads, nn_real *block, void *out, nn_poll *poll,
                            void *poll_context) {
    nn_progress progress = {.total = x->n_rows};
    for (size_t first = 0; first < x->n_rows; first += rows) {
        progress.done = first;
        if (poll != NULL && poll(poll_context, &progress) != 0) return NN_STOPPED;
        const size_t n = x->n_rows - first < rows ? x->n_rows - first : rows;
        change_block(augment, x, first, n, n_threads, block, out);
    }
    return NN_OK;
}

nn_status nn_augment_apply(const nn_augment *augment, const nn_data *data, uint64_t seed,
                           uint64_t round, size_t n_threads, void *out, nn_poll *poll,
                           void *poll_context) {
    const nn_input *x = &data->x;
    const bool is_bytes = x->dtype == NN_DTYPE_UINT8;
    if (!nn__augment_fits(augment, x->n_columns)) return NN_ERROR_SHAPE;
    if (x->values == NULL || (!is_bytes && x->dtype != REAL_DTYPE)) return NN_ERROR_ARGUMENT;
    NN_TRY(nn_start());
    size_t rows = BLOCK_NUMBERS / x->n_columns;
    rows = rows < 1 ? 1 : rows > BLOCK_IMAGES ? BLOCK_IMAGES : rows;
    nn__augment made;
    nn_status status = nn__augment_make(&made, augment, rows, n_threads > 1, nn__vector());
    nn_real *block = NULL;
    if (status == NN_OK && is_bytes) {
        block = nn__allocate(rows * x->n_columns, sizeof *block);
        if (block == NULL) status = NN_ERROR_MEMORY;
    }
    if (status == NN_OK) {
        nn__augment_begin(&made, seed, round);
        status = change_all(&made, x, rows, n_threads, block, out, poll, poll_context);
    }
    nn__release(block);
    nn__augment_free(&made);
    return status;
}
