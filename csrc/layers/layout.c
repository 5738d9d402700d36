#include "layers/layout.h"

#include <string.h>

/* ---- making --------------------------------------------------------------------------------- */

/* Reserves the tensor's place; a row more than it needs, because BLIS may read it (gemm.h). */
static nn__place place_of(nn__layout *layout, const nn__tensor *tensor, size_t tile) {
    size_t rows = tensor->is_bias ? 1 : tensor->shape[0], total = 0;
    nn__place place = {.rows = rows, .columns = tensor->shape[tensor->ndim - 1], .n_tiles = 1};
    place.stride = nn__padded(place.columns);
    if (tile != 0 && tile < place.stride) {
        place.n_tiles = (place.stride - 1) / tile + 1;
        place.stride = tile;
    }
    if (!nn__multiply(place.n_tiles * place.stride, rows + 1, &total))
        layout->arena.overflow = true;
    place.count = total - place.n_tiles * place.stride;
    place.offset = nn__arena_reserve(&layout->arena, total);
    return place;
}

nn_status nn__layout_make(nn__layout *layout, const nn__plan *plan, size_t tile) {
    *layout = (nn__layout){.places = nn__allocate(plan->n_tensors, sizeof *layout->places)};
    if (layout->places == NULL) return NN_ERROR_MEMORY;
    for (size_t i = 0; i < plan->n_tensors; i++)
        layout->places[i] = place_of(layout, &plan->tensors[i], i == 0 ? tile : 0);
    return layout->arena.overflow ? NN_ERROR_SIZE : NN_OK;
}

void nn__layout_free(nn__layout *layout) {
    nn__release(layout->places);
    *layout = (nn__layout){0};
}

/* ---- copying -------------------------------------------------------------------------------- */

/* Columns of the place that lie in tile t. */
static size_t tile_columns(const nn__place *place, size_t t) {
    size_t left = place->columns - t * place->stride;
    return left < place->stride ? left : place->stride;
}

void nn__layout_pack(const nn__layout *layout, const nn__plan *plan, nn_real *packed,
                     const nn_real *compact) {
    for (size_t i = 0; i < plan->n_tensors; i++) {
        const nn__place *place = &layout->places[i];
        const nn_real *from = compact + plan->tensors[i].offset;
        nn_real *to = packed + place->offset;
        for (size_t t = 0; t < place->n_tiles; t++, to += place->rows * place->stride)
            for (size_t r = 0; r < place->rows; r++)
                memcpy(to + r * place->stride, from + r * place->columns + t * place->stride,
                       tile_columns(place, t) * sizeof *to);
    }
}

void nn__layout_unpack(const nn__layout *layout, const nn__plan *plan, nn_real *compact,
                       const nn_real *packed) {
    for (size_t i = 0; i < plan->n_tensors; i++) {
        const nn__place *place = &layout->places[i];
        nn_real *to = compact + plan->tensors[i].offset;
        const nn_real *from = packed + place->offset;
        for (size_t t = 0; t < place->n_tiles; t++, from += place->rows * place->stride)
            for (size_t r = 0; r < place->rows; r++)
                memcpy(to + r * place->columns + t * place->stride, from + r * place->stride,
                       tile_columns(place, t) * sizeof *to);
    }
}
