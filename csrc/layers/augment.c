/* Every part is a map from places of the result to places of the image given; together they are
 * one,
 *
 *     place(p) = M p + t + sum_e C_e w_e(p),
 *
 * p from the image's centre, w_e the displacement field of elastic part e. It is worked out for a
 * few rows at a time and the image interpolated once, whatever the parts are.
 *
 * A field is u, uniform in [-1, 1] at each pixel, under a Gaussian (layers/smoothing.h).
 *
 * Source: P. Simard, D. Steinkraus, J. Platt, "Best practices for convolutional neural networks
 * applied to visual document analysis", ICDAR 2003. */
#include "layers/augment.h"

#include <math.h>
#include <string.h>

#include "base/pool.h"

/* Threads share the images of a batch in so many shards at most, each with a room of its own. */
enum { MOST_SHARDS = 16 };

/* About as many places are worked out at once: with what they are made of and used for they stay in
 * the nearest cache. */
enum { PLACES = 1024 };

/* Numbers that `uniforms` may write beyond those asked for. */
enum { SPARE = 128 };

bool nn__augment_changes(const nn_augment *spec) {
    bool changes = false;
    for (size_t i = 0; i < spec->n_parts; i++) changes = changes || spec->parts[i].amount > 0.0;
    return changes;
}

double nn__augment_work(const nn_augment *spec) {
    const double height = (double)spec->height, width = (double)spec->width;
    double pixel = 16.0 + 4.0 * (double)spec->channels;
    for (size_t i = 0; i < spec->n_parts; i++) {
        const nn_augment_part *part = &spec->parts[i];
        if (part->kind != NN_AUGMENT_ELASTIC || part->amount == 0.0) continue;
        pixel += 2.0 * nn__smooth_taps(height, width, part->sigma) + 16.0;
    }
    return height * width * pixel;
}

/* ---- making --------------------------------------------------------------------------------- */

static nn_status check_part(const nn_augment *spec, const nn_augment_part *part) {
    const double side = (double)(spec->height < spec->width ? spec->height : spec->width);
    if (nn_augment_name((int)part->kind) == NULL) return NN_ERROR_ARGUMENT;
    if (!(part->amount >= 0.0 && isfinite(part->amount))) return NN_ERROR_ARGUMENT;
    if (part->kind == NN_AUGMENT_SCALE && part->amount >= 1.0) return NN_ERROR_ARGUMENT;
    if (part->kind == NN_AUGMENT_ELASTIC && !(part->sigma > 0.0 && part->sigma <= side))
        return NN_ERROR_ARGUMENT;
    return NN_OK;
}

/* Sides and their products are small enough for 32 bits and for sizes in bytes. */
static nn_status check_sizes(const nn_augment *spec) {
    size_t pixels, all;
    if (spec->channels == 0 || spec->height == 0 || spec->width == 0) return NN_ERROR_SIZE;
    if (spec->height > INT32_MAX / 4 || spec->width > INT32_MAX / 4) return NN_ERROR_SIZE;
    if (!nn__multiply(spec->height + 3, nn__padded(spec->width + 3), &pixels) ||
        pixels > INT32_MAX || !nn__multiply(pixels, spec->channels, &all) || all > SIZE_MAX >> 16)
        return NN_ERROR_SIZE;
    return NN_OK;
}

bool nn__augment_fits(const nn_augment *spec, size_t n_columns) {
    size_t plane, all;
    return nn__multiply(spec->height, spec->width, &plane) &&
           nn__multiply(plane, spec->channels, &all) && all == n_columns;
}

nn_status nn__augment_check(const nn_augment *spec) {
    if (spec->n_parts > NN_AUGMENT_PARTS) return NN_ERROR_ARGUMENT;
    NN_TRY(check_sizes(spec));
    for (size_t i = 0; i < spec->n_parts; i++) NN_TRY(check_part(spec, &spec->parts[i]));
    return NN_OK;
}

/* Keeps the parts that do something. */
static void keep_parts(nn_augment *kept, const nn_augment *spec) {
    *kept = *spec;
    kept->n_parts = 0;
    for (size_t i = 0; i < spec->n_parts; i++)
        if (spec->parts[i].amount > 0.0) kept->parts[kept->n_parts++] = spec->parts[i];
}

/* Rows of an image whose places are worked out at once. */
static size_t rows_at_once(const nn__augment *a) {
    const size_t rows = PLACES / nn__padded(a->spec.width);
    return rows == 0 ? 1 : rows < a->spec.height ? rows : a->spec.height;
}

/* Where everything lies in the arena. */
static void lay_out(nn__augment *a) {
    const size_t height = a->spec.height, width = a->spec.width, stride = nn__padded(width);
    for (size_t i = 0; i < a->spec.n_parts; i++) {
        const nn_augment_part *part = &a->spec.parts[i];
        if (part->kind != NN_AUGMENT_ELASTIC) continue;
        a->smoothing[i] = nn__smooth_lay_out(&a->arena, height, width, part->sigma);
        a->n_fields++;
    }
    nn__arena room = {0};
    a->raw = nn__arena_reserve(&room, 2 * height * width + SPARE);
    const size_t work = a->n_fields > 0 ? nn__smooth_work(height, width) : 0;
    a->work = nn__arena_reserve(&room, work);
    a->fields = nn__arena_reserve(&room, a->n_fields * 2 * height * stride);
    a->framed = nn__arena_reserve(&room, a->spec.channels * (height + 3) * a->frame.stride);
    a->places = nn__arena_reserve(&room, 3 * rows_at_once(a) * stride);
    a->shard = room.size;
    size_t rooms = 0;
    const bool fits = nn__multiply(a->n_shards, a->shard, &rooms) && !room.overflow;
    a->rooms = nn__arena_reserve(&a->arena, rooms);
    a->arena.overflow = a->arena.overflow || !fits;
}

nn_status nn__augment_make(nn__augment *augment, const nn_augment *spec, size_t rows, bool shared,
                           const nn__vector_kernels *vector) {
    *augment = (nn__augment){.vector = vector};
    NN_TRY(nn__augment_check(spec));
    keep_parts(&augment->spec, spec);
    augment->frame = (nn__frame){spec->height, spec->width, nn__padded(spec->width + 3)};
    augment->n_shards = !shared ? 1 : rows < MOST_SHARDS ? rows : MOST_SHARDS;
    lay_out(augment);
    NN_TRY(nn__arena_open(&augment->arena));
    for (size_t i = 0; i < augment->spec.n_parts; i++) {
        const nn_augment_part *part = &augment->spec.parts[i];
        if (part->kind != NN_AUGMENT_ELASTIC) continue;
        nn__smooth_make(&augment->smoothing[i], augment->arena.values, part->sigma);
    }
    return NN_OK;
}

void nn__augment_free(nn__augment *augment) {
    nn__arena_close(&augment->arena);
    *augment = (nn__augment){0};
}

/* ---- random numbers ------------------------------------------------------------------------- */

void nn__augment_begin(nn__augment *augment, uint64_t seed, uint64_t round) {
    const nn_augment *spec = &augment->spec;
    augment->round = round;
    for (size_t i = 0; i < spec->n_parts; i++) {
        char name[16], *end = name;
        size_t number = 1;
        for (size_t k = 0; k < i; k++) number += spec->parts[k].kind == spec->parts[i].kind;
        for (const char *c = nn_augment_name((int)spec->parts[i].kind); *c != '\0'; c++)
            *end++ = *c;
        if (number >= 10) *end++ = (char)('0' + number / 10);
        *end++ = (char)('0' + number % 10);
        *end = '\0';
        augment->streams[i] = nn__stream_open(seed, name);
    }
}

/* A uniform number in (-1, 1). */
static double uniform(uint32_t word) {
    return ((double)word + 0.5) * 0x1p-31 - 1.0;
}

/* ---- the map -------------------------------------------------------------------------------- */

/* p -> M p + t, places from the centre, (x, y) with y downwards. */
typedef struct map {
    double M[2][2], t[2];
} map;

/* Two maps after each other: first the second, then the first. */
static map combine(const map *f, const map *g) {
    map h;
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 2; j++) h.M[i][j] = f->M[i][0] * g->M[0][j] + f->M[i][1] * g->M[1][j];
        h.t[i] = f->M[i][0] * g->t[0] + f->M[i][1] * g->t[1] + f->t[i];
    }
    return h;
}

/* From places of the result to those of the image given. */
static map draw_map(const nn_augment_part *part, const uint32_t word[4]) {
    map f = {{{1.0, 0.0}, {0.0, 1.0}}, {0.0, 0.0}};
    const double value = part->amount * uniform(word[0]);
    const double angle = value * (3.14159265358979323846 / 180.0);
    switch (part->kind) {
    case NN_AUGMENT_SHIFT:
        f.t[0] = -value;
        f.t[1] = -part->amount * uniform(word[1]);
        break;
    case NN_AUGMENT_ROTATE:
        f.M[0][0] = f.M[1][1] = cos(angle);
        f.M[0][1] = -sin(angle);
        f.M[1][0] = sin(angle);
        break;
    case NN_AUGMENT_SKEW:
        f.M[0][1] = value;
        break;
    default: /* scale */
        f.M[0][0] = f.M[1][1] = 1.0 / (1.0 + value);
    }
    return f;
}

/* One image's place(p): the affine map, and what each field is multiplied with. */
typedef struct whole {
    map affine;
    nn_real factors[NN_AUGMENT_PARTS][4]; /* C_e, row by row */
} whole;

static whole draw_whole(const nn__augment *a, uint32_t index) {
    whole w = {.affine = {{{1.0, 0.0}, {0.0, 1.0}}, {0.0, 0.0}}};
    size_t field = 0;
    for (size_t i = 0; i < a->spec.n_parts; i++) {
        const nn_augment_part *part = &a->spec.parts[i];
        if (part->kind == NN_AUGMENT_ELASTIC) {
            for (int k = 0; k < 4; k++)
                w.factors[field][k] = (nn_real)(w.affine.M[k / 2][k % 2] * part->amount);
            field++;
            continue;
        }
        uint32_t word[4];
        nn__stream_words(&a->streams[i], 0, index, a->round, word);
        const map own = draw_map(part, word);
        w.affine = combine(&w.affine, &own);
    }
    return w;
}

/* ---- one image ------------------------------------------------------------------------------ */

/* The fields of all elastic parts: x and y of each, (height, padded width). */
static void draw_fields(const nn__augment *a, nn_real *room, uint32_t index) {
    const size_t height = a->spec.height, width = a->spec.width, stride = nn__padded(width);
    nn_real *field = room + a->fields, *raw = room + a->raw;
    for (size_t i = 0; i < a->spec.n_parts; i++) {
        if (a->spec.parts[i].kind != NN_AUGMENT_ELASTIC) continue;
        a->vector->images->uniforms(raw, 2 * height * width, a->streams[i].key, index, a->round);
        nn__smooth(&a->smoothing[i], a->vector, a->arena.values, field, raw, room + a->work);
        field += 2 * height * stride;
    }
}

/* The channels into their frames, whose zeros stay. */
static void put_into_frames(const nn__augment *a, nn_real *framed, const nn_real *image) {
    const nn__frame *frame = &a->frame;
    for (size_t c = 0; c < a->spec.channels; c++) {
        for (size_t i = 0; i < frame->height; i++, image += frame->width)
            memcpy(framed + (i + 1) * frame->stride + 1, image, frame->width * sizeof *image);
        framed += (frame->height + 3) * frame->stride;
    }
}

/* X, Y (padded width): where w, but for its fields, says that row i is taken from. */
static void affine_places(const nn__augment *a, nn_real *X, nn_real *Y, const whole *w, size_t i) {
    const size_t width = a->spec.width, height = a->spec.height;
    const map *f = &w->affine;
    const double centre_x = 0.5 * (double)(width - 1), centre_y = 0.5 * (double)(height - 1);
    const double y = (double)i - centre_y;
    const double x0 = f->M[0][1] * y + f->t[0] + centre_x - f->M[0][0] * centre_x;
    const double y0 = f->M[1][1] * y + f->t[1] + centre_y - f->M[1][0] * centre_x;
    const nn_real along_x[2] = {(nn_real)x0, (nn_real)f->M[0][0]};
    const nn_real along_y[2] = {(nn_real)y0, (nn_real)f->M[1][0]};
    a->vector->images->places(X, Y, along_x, along_y, nn__padded(width));
}

/* Rows first .. first + rows - 1 of the image's channels from where w says. Up to the last loop
 * rows have the padded width: vectors without a rest, and one call for all of them. */
static void take_rows(const nn__augment *a, nn_real *image, nn_real *room, const whole *w,
                      size_t first, size_t rows) {
    const nn__image_kernels *images = a->vector->images;
    const nn__frame *frame = &a->frame;
    const size_t width = frame->width, stride = nn__padded(width), n = rows * stride;
    nn_real *X = room + a->places, *Y = X + n;
    int32_t *corner = (int32_t *)(void *)(Y + n);
    for (size_t i = 0; i < rows; i++)
        affine_places(a, X + i * stride, Y + i * stride, w, first + i);
    const size_t size = frame->height * stride;
    const nn_real *field = room + a->fields + first * stride;
    for (size_t e = 0; e < a->n_fields; e++, field += 2 * size)
        images->displace(X, Y, field, field + size, w->factors[e], n);
    images->corners(corner, X, Y, frame, n);
    const nn_real *framed = room + a->framed;
    for (size_t c = 0; c < a->spec.channels; c++) {
        nn_real *out = image + (c * frame->height + first) * width;
        for (size_t i = 0, at = 0; i < rows; i++, at += stride)
            images->interpolate(out + i * width, framed, frame->stride, corner + at, X + at, Y + at,
                                width);
        framed += (frame->height + 3) * frame->stride;
    }
}

static void change_image(const nn__augment *a, nn_real *image, nn_real *room, uint32_t index) {
    const whole w = draw_whole(a, index);
    draw_fields(a, room, index);
    put_into_frames(a, room + a->framed, image);
    const size_t height = a->spec.height, most = rows_at_once(a);
    for (size_t i = 0; i < height; i += most)
        take_rows(a, image, room, &w, i, height - i < most ? height - i : most);
}

/* ---- a batch -------------------------------------------------------------------------------- */

/* The images of a batch, shared among threads. */
typedef struct batch {
    const nn__augment *augment;
    nn_real *images;
    size_t stride, first, n;
    const uint32_t *order;
} batch;

static void change_shard(void *context, size_t shard) {
    const batch *b = context;
    const nn__augment *a = b->augment;
    const size_t n_shards = b->n < a->n_shards ? b->n : a->n_shards;
    nn_real *room = a->arena.values + a->rooms + shard * a->shard;
    for (size_t r = b->n * shard / n_shards; r < b->n * (shard + 1) / n_shards; r++) {
        const size_t index = b->order != NULL ? b->order[r] : b->first + r;
        change_image(a, b->images + r * b->stride, room, (uint32_t)index);
    }
}

void nn__augment_rows(const nn__augment *augment, nn_real *images, size_t stride,
                      const uint32_t *order, size_t first, size_t n, size_t n_threads) {
    batch b = {augment, images, stride, first, n, order};
    if (augment->spec.n_parts == 0) return;
    nn__pool_run(n_threads, n < augment->n_shards ? n : augment->n_shards, change_shard, &b);
}
