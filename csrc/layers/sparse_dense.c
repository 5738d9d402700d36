#include "layers/sparse_dense.h"

#include <string.h>

#include "base/pool.h"

/* Up to so many columns an update goes row after row of the batch, whose dy stays in registers; in
 * long batches up to LONG_NARROW. Beyond, by columns, which reads and writes each row of W once. */
#define NARROW 128
#define LONG_NARROW 64

/* Wide layers lie in tiles of this many columns when batches are long: of so many rows and more. */
#define TILE 80
#define LONG_BATCH 32

/* The largest decay of a step that is done lazily (larger ones write the gradient out), and the
 * scale below which W' takes it in: so eta / scale is at most 2^21 eta. */
#define MOST_LAZY 0.5
#define LEAST_SCALE 0x1p-20

/* The least momentum with which a velocity is kept a step ahead: with less, too little of it would
 * be left in u to find it again. */
#define LEAST_AHEAD 0.1

/* The tensor at this place of a packed array. */
static nn__weights weights_of(nn_real *values, const nn__place *place) {
    return (nn__weights){values + place->offset, place->rows, place->stride,
                         nn__padded(place->columns)};
}

static size_t n_tiles(const nn__weights *W) {
    return (W->columns - 1) / W->stride + 1;
}

/* Tile t, as weights of their own. */
static nn__weights tile_of(const nn__weights *W, size_t t) {
    const size_t left = W->columns - t * W->stride;
    return (nn__weights){W->values + t * W->n_in * W->stride, W->n_in, W->stride,
                         left < W->stride ? left : W->stride};
}

size_t nn__sparse_dense_tile(size_t n_out, size_t rows) {
    return rows >= LONG_BATCH && nn__padded(n_out) > NARROW ? TILE : 0;
}

/* Up to how many columns plain SGD goes row after row of a batch of `rows` rows. */
static size_t narrow(size_t rows) {
    return rows < LONG_BATCH ? NARROW : LONG_NARROW;
}

/* Whether it does. Not in tiles, and not shared: two rows of x may write the same row of W. */
static bool goes_by_rows(size_t ld, size_t stride, size_t rows, bool shared) {
    return ld <= narrow(rows) && stride == ld && !shared;
}

void nn__sparse_dense_path(nn_path *path, size_t rows, bool shared) {
    const size_t ld = nn__padded(path->n_out);
    path->tile = nn__sparse_dense_tile(path->n_out, rows);
    path->by_rows = goes_by_rows(ld, path->tile != 0 ? path->tile : ld, rows, shared);
    path->narrow = narrow(rows);
}

/* x by its columns. */
static void sort(nn__sparse_batch *x, size_t n_in) {
    if (!x->sorted) nn__columns_make(&x->columns, &x->rows, n_in);
    x->sorted = true;
}

/* ---- forward -------------------------------------------------------------------------------- */

/* y = scale x W' + b.   x (rows, n_in) sparse, W' (n_in, n_out), b (n_out,), y (rows, n_out) */
typedef struct forward {
    const nn__pass *pass;
    nn__sparse_batch *x;
    nn__weights W;
    const nn_real *b;
    nn_real *y;
    size_t ld;
} forward;

/* Rows first .. first + n - 1 of x, by W from column `at` on.   cursor (n,), scratch */
static void forward_part(const forward *f, size_t first, size_t n, const nn__weights *W, size_t at,
                         uint32_t *cursor) {
    const nn__entries rows = {n, f->x->rows.start + first, f->x->rows.column, f->x->rows.value};
    const bool blocks = n_tiles(&f->W) > 1 || nn__forward_in_blocks(&rows, W);
    f->pass->vector->products->sparse_forward(f->y + first * f->ld + at, f->ld, &rows, W, f->b + at,
                                              (nn_real)f->pass->scale, blocks ? cursor : NULL);
}

/* Rows of a shard, which are split as evenly as can be: at least so many where there is one tile,
 * and never more than TILE_ROWS. Shards go tile by tile, as those of the update do: so a thread
 * finds in its cache the weights that it wrote last. */
enum { SHARD_ROWS = 32, TILE_ROWS = 64 };

/* Shards of a tile. */
static size_t forward_shards(const forward *f) {
    const size_t rows = f->x->rows.rows;
    if (n_tiles(&f->W) > 1) return (rows - 1) / TILE_ROWS + 1;
    return rows < SHARD_ROWS ? 1 : rows / SHARD_ROWS;
}

static void forward_shard(void *context, size_t shard) {
    const forward *f = context;
    const size_t shards = forward_shards(f), t = shard / shards, part = shard % shards;
    const size_t first = f->x->rows.rows * part / shards;
    const size_t end = f->x->rows.rows * (part + 1) / shards;
    const nn__weights tile = tile_of(&f->W, t);
    uint32_t cursor[TILE_ROWS];
    forward_part(f, first, end - first, &tile, t * f->W.stride, cursor);
}

/* The same with a shard more: the sorting, which the step will want. */
static void sort_or_forward_shard(void *context, size_t shard) {
    const forward *f = context;
    if (shard == 0)
        sort(f->x, f->W.n_in);
    else
        forward_shard(context, shard - 1);
}

void nn__sparse_dense_forward(const nn__node *node, const nn__pass *pass, const nn_real *parameters,
                              const nn__buffers *io) {
    const nn__place *places = pass->layout->places;
    const nn__weights W = weights_of((nn_real *)(uintptr_t)parameters, &places[node->weight]);
    forward f = {pass,  io->sparse,
                 W,     parameters + places[node->bias].offset,
                 io->y, nn__padded(node->n_out)};
    if (pass->shared && pass->training)
        nn__pool_run(pass->n_threads, n_tiles(&W) * forward_shards(&f) + 1, sort_or_forward_shard,
                     &f);
    else if (pass->shared)
        nn__pool_run(pass->n_threads, n_tiles(&W) * forward_shards(&f), forward_shard, &f);
    else
        forward_part(&f, 0, pass->rows, &W, 0, io->sparse->cursor);
}

/* ---- backward ------------------------------------------------------------------------------- */

/* What changes W, row by row of W, so that threads can share them. */
typedef struct change {
    const nn__pass *pass;
    const nn__columns *x;
    nn__weights W, v; /* v: momentum alone */
    const nn__momentum *momentum;
    const nn_real *dy;
    size_t ld;
    nn_real factor; /* of x^T dy, without momentum */
} change;

/* Rows of W in a shard. */
enum { SHARD_INPUTS = 64 };

/* Inputs first .. first + n - 1, all columns. */
static void change_part(const change *c, size_t first, size_t n) {
    const nn__product_kernels *products = c->pass->vector->products;
    if (c->momentum != NULL)
        products->sparse_update_momentum(&c->W, &c->v, c->x, first, n, c->dy, c->ld, c->momentum);
    else
        products->sparse_update_columns(&c->W, c->x, first, n, c->dy, c->ld, c->factor);
}

static size_t change_shards(const change *c) {
    return (c->W.n_in - 1) / SHARD_INPUTS + 1;
}

/* Some inputs of a tile. */
static void change_shard(void *context, size_t shard) {
    const change *c = context;
    const size_t t = shard / change_shards(c), first = shard % change_shards(c) * SHARD_INPUTS;
    const size_t left = c->W.n_in - first;
    change part = *c;
    part.W = tile_of(&c->W, t);
    if (c->momentum != NULL) part.v = tile_of(&c->v, t);
    part.dy += t * c->W.stride;
    change_part(&part, first, left < SHARD_INPUTS ? left : SHARD_INPUTS);
}

static void change_all(change *c) {
    if (c->pass->shared)
        nn__pool_run(c->pass->n_threads, n_tiles(&c->W) * change_shards(c), change_shard, c);
    else
        change_part(c, 0, c->W.n_in);
}

/* Of y = x W + b, given dy:   dW = x^T dy. */
void nn__sparse_dense_gradient(const nn__node *node, const nn__pass *pass, const nn__buffers *io,
                               const nn_real *dy, nn_real *gradient) {
    const nn__place *place = &pass->layout->places[node->weight];
    change c = {.pass = pass,
                .x = &io->sparse->columns,
                .W = weights_of(gradient, place),
                .dy = dy,
                .ld = nn__padded(node->n_out),
                .factor = 1};
    if (!pass->accumulate) memset(c.W.values, 0, place->count * sizeof *gradient);
    sort(io->sparse, node->n_in);
    change_all(&c);
}

/* ---- step ----------------------------------------------------------------------------------- */

/* W' takes the scale in. */
static void fold(nn__update *update) {
    const nn__place *place = &update->layout->places[0];
    nn_real *W = update->parameters + place->offset;
    const nn_real scale = (nn_real)update->scale;
    if (update->scale == 1.0) return;
    for (size_t i = 0; i < place->count; i++) W[i] *= scale;
    update->scale = 1.0;
}

/* Plain SGD without l1, its decay lazy. */
static void step_lazily(const nn__node *node, nn__update *update, change *c, nn__sparse_batch *x,
                        double decay) {
    update->scale *= 1.0 - decay;
    if (update->scale < LEAST_SCALE) fold(update);
    const nn_real factor = (nn_real)(-update->optimizer->learning_rate / update->scale);
    if (goes_by_rows(c->ld, c->W.stride, x->rows.rows, c->pass->shared)) {
        update->vector->products->sparse_update_rows(&c->W, &x->rows, c->dy, c->ld, factor);
        return;
    }
    sort(x, node->n_in);
    c->factor = factor;
    change_all(c);
}

/* The numbers of a step with momentum, as the kernels take them. */
static nn__momentum momentum_of(const nn__update *update) {
    const nn_optimizer *sgd = update->optimizer;
    return (nn__momentum){(nn_real)sgd->learning_rate, (nn_real)sgd->momentum,
                          (nn_real)(update->penalty->l2 / update->penalty->n), sgd->nesterov};
}

/* Classical momentum in a narrow layer, its velocity a step ahead. */
static void step_ahead(nn__update *update, const change *c, const nn__sparse_batch *x,
                       nn__momentum m) {
    const nn__vector_kernels *vector = update->vector;
    const nn_real shrink = -m.eta * m.l2;
    const size_t n = c->W.n_in * c->W.stride;
    if (!update->ahead) vector->look_ahead(c->v.values, c->W.values, n, m.mu, shrink);
    vector->products->sparse_update_rows(&c->v, &x->rows, c->dy, c->ld, -m.eta);
    update->ahead = !update->last_step;
    if (update->ahead)
        vector->move_ahead(c->W.values, c->v.values, n, m.mu, shrink);
    else
        vector->add(c->W.values, c->v.values, n);
}

/* v = (u + eta (l2/n) W) / mu. */
static void look_back(nn__update *update) {
    const nn__place *place = &update->layout->places[0];
    const nn_real *W = update->parameters + place->offset;
    nn_real *v = update->slots[0] + place->offset;
    const nn__momentum m = momentum_of(update);
    for (size_t i = 0; i < place->count; i++) v[i] = (v[i] + m.eta * m.l2 * W[i]) / m.mu;
    update->ahead = false;
}

void nn__sparse_dense_settle(nn__update *update) {
    fold(update);
    if (update->ahead) look_back(update);
}

/* SGD with momentum and without l1. */
static void step_momentum(const nn__node *node, nn__update *update, change *c,
                          nn__sparse_batch *x) {
    const nn_optimizer *sgd = update->optimizer;
    const nn__momentum momentum = momentum_of(update);
    const bool by_rows = c->ld <= LONG_NARROW && c->W.stride == c->ld && !c->pass->shared;
    c->v = weights_of(update->slots[0], &update->layout->places[node->weight]);
    if (by_rows && !momentum.nesterov && sgd->momentum >= LEAST_AHEAD) {
        step_ahead(update, c, x, momentum);
        return;
    }
    if (update->ahead) look_back(update);
    c->momentum = &momentum;
    sort(x, node->n_in);
    change_all(c);
}

void nn__sparse_dense_step(const nn__node *node, const nn__pass *pass, nn__update *update,
                           const nn__buffers *io, const nn_real *dy) {
    const nn_optimizer *sgd = update->optimizer;
    const nn__place *place = &update->layout->places[node->weight];
    const double decay = sgd->learning_rate * update->penalty->l2 / update->penalty->n;
    const bool smooth = update->penalty->l1 == 0.0;
    change c = {.pass = pass,
                .x = &io->sparse->columns,
                .W = weights_of(update->parameters, place),
                .dy = dy,
                .ld = nn__padded(node->n_out)};
    if (smooth && nn__optimizer_is_plain(sgd) && decay <= MOST_LAZY) {
        step_lazily(node, update, &c, io->sparse, decay);
    } else if (smooth && sgd->kind == NN_OPTIMIZER_SGD && sgd->momentum > 0.0) {
        step_momentum(node, update, &c, io->sparse);
    } else {
        nn__sparse_dense_gradient(node, pass, io, dy, update->gradient);
        nn__optimizer_step(update, node->weight);
    }
}
