/* Losses: values, deltas and right predictions of blocks, beside each sample's formula. */
#include <string.h>

#include "helpers.h"
#include "layers/loss.h"

enum { ROOM = 4096, MOST_ROWS = 400 };

static nn_real z[ROOM], a[ROOM], y[ROOM], weights[MOST_ROWS], delta[ROOM + 1];

static const nn_cost costs[] = {NN_COST_QUADRATIC, NN_COST_CROSS_ENTROPY, NN_COST_LOG_LIKELIHOOD,
                                NN_COST_HINGE};
static const nn_activation activations[] = {NN_ACTIVATION_SIGMOID, NN_ACTIVATION_TANH,
                                            NN_ACTIVATION_RELU, NN_ACTIVATION_LINEAR,
                                            NN_ACTIVATION_SOFTMAX};

/* Runs a check for every loss and every level that this CPU has. */
static void for_every_loss(void (*check)(const nn__loss *loss, const nn__vector_kernels *vector)) {
    for (size_t c = 0; c < COUNT(costs); c++)
        for (size_t o = 0; o < COUNT(activations); o++) {
            const nn__loss *loss = nn__loss_find(costs[c], activations[o]);
            size_t before = check_failures;
            for (int level = NN__CPU_PORTABLE; loss && level <= (int)nn__cpu_best(); level++)
                check(loss, nn__vector_table((nn__cpu_level)level));
            if (check_failures != before)
                printf("    %s, %s\n", nn_cost_name((int)costs[c]),
                       nn_activation_name((int)activations[o]));
        }
}

/* A block of random outputs with NaN between the rows. Targets are one-hot rows, or for a single
 * output 0 and 1; with `soft` any numbers that the loss takes. */
static nn__outputs draw(const nn__loss *loss, size_t rows, size_t n, size_t ld, bool soft,
                        const nn__vector_kernels *vector) {
    static nn_real noise[ROOM];
    CHECK(rows * ld <= ROOM && rows <= MOST_ROWS);
    fill_normal(z, rows * ld, rows + n);
    fill_normal(noise, rows * ld, rows + 2 * n);
    fill_normal(weights, rows, n);
    for (size_t i = 0; i < rows * ld; i++) {
        z[i] *= 3;
        y[i] = soft ? (nn_real)(0.5 + 0.5 * tanh((double)noise[i])) / (nn_real)n : 0;
    }
    for (size_t r = 0; r < rows; r++) {
        weights[r] = (nn_real)fabs((double)weights[r]);
        if (!soft) y[r * ld + (r * 7) % n] = n > 1 || r % 3 == 0;
        for (size_t j = n; j < ld; j++) z[r * ld + j] = y[r * ld + j] = (nn_real)NAN;
    }
    memcpy(a, z, rows * ld * sizeof *a);
    if (loss->output == NN_ACTIVATION_SIGMOID) vector->sigmoid(a, z, rows * ld);
    if (loss->output == NN_ACTIVATION_TANH) vector->tanh(a, z, rows * ld);
    if (loss->output == NN_ACTIVATION_RELU) vector->relu(a, z, rows * ld);
    if (loss->output == NN_ACTIVATION_SOFTMAX) vector->softmax(a, z, rows, n, ld);
    return (nn__outputs){
        .z = z, .a = a, .y = y, .weights = weights, .rows = rows, .n = n, .ld = ld};
}

/* ---- one sample, by the formulas, in double ------------------------------------------------- */

static size_t label_of(const nn_real *row, size_t n) {
    size_t label = 0;
    for (size_t j = 1; j < n; j++)
        if (row[j] > row[label]) label = j;
    return label;
}

static double value_of_row(const nn__loss *loss, const nn__outputs *o, size_t r) {
    const nn_real *zs = o->z + r * o->ld, *as = o->a + r * o->ld, *ys = o->y + r * o->ld;
    const size_t label = label_of(ys, o->n);
    double sum = 0, exps = 0;
    for (size_t j = 0; j < o->n; j++) exps += exp((double)zs[j]);
    for (size_t j = 0; j < o->n; j++) {
        double zj = (double)zs[j], aj = (double)as[j], yj = (double)ys[j];
        double margin = zj - (double)zs[label] + 1;
        if (loss->cost == NN_COST_QUADRATIC) sum += 0.5 * (aj - yj) * (aj - yj);
        if (loss->cost == NN_COST_CROSS_ENTROPY) sum += log1p(exp(zj)) - yj * zj;
        if (loss->cost == NN_COST_LOG_LIKELIHOOD) sum += yj * (log(exps) - zj);
        if (loss->cost == NN_COST_HINGE && j != label) sum += fmax(margin, 0);
    }
    return sum;
}

/* dc/dz_j. */
static double delta_of_row(const nn__loss *loss, const nn__outputs *o, size_t r, size_t j) {
    const nn_real *zs = o->z + r * o->ld, *as = o->a + r * o->ld, *ys = o->y + r * o->ld;
    const size_t label = label_of(ys, o->n);
    double aj = (double)as[j], e = aj - (double)ys[j], mean = 0, inside = 0;
    for (size_t k = 0; k < o->n; k++) {
        mean += ((double)as[k] - (double)ys[k]) * (double)as[k];
        inside += k != label && zs[k] - zs[label] + 1 > 0;
    }
    if (loss->cost == NN_COST_HINGE)
        return j == label ? -inside : (double)(zs[j] - zs[label] + 1 > 0);
    if (loss->cost != NN_COST_QUADRATIC || loss->output == NN_ACTIVATION_LINEAR) return e;
    if (loss->output == NN_ACTIVATION_SIGMOID) return e * aj * (1 - aj);
    if (loss->output == NN_ACTIVATION_TANH) return e * (1 - aj * aj);
    if (loss->output == NN_ACTIVATION_RELU) return aj > 0 ? e : 0;
    return aj * (e - mean);
}

/* ---- blocks --------------------------------------------------------------------------------- */

/* Numbers here are below 16; a term has up to eight roundings of half an EPSILON of that, and a
 * mean over n outputs as many as there are. */
static const double tolerance = 8 * 0.5 * EPSILON * 16;

static void check_block(const nn__loss *loss, const nn__outputs *o,
                        const nn__vector_kernels *vector) {
    const nn_real scale = (nn_real)0.125;
    double value = 0, size = 0;
    size_t n_right = 0, not_zero = 0;
    for (size_t i = 0; i <= o->rows * o->ld; i++) delta[i] = 7;
    loss->delta(delta, o, scale);
    for (size_t r = 0; r < o->rows; r++) {
        const double w = (double)o->weights[r];
        value += w * value_of_row(loss, o, r);
        size += w * (double)o->n;
        for (size_t j = 0; j < o->n; j++)
            CHECK_NEAR((double)delta[r * o->ld + j], 0.125 * w * delta_of_row(loss, o, r, j),
                       w * tolerance * (double)(1 + o->n / 16));
        for (size_t j = o->n; j < o->ld; j++) not_zero += delta[r * o->ld + j] != 0;
        n_right += nn__loss_class(o->a + r * o->ld, o->n, loss->output) ==
                   nn__loss_class(o->y + r * o->ld, o->n, loss->output);
    }
    CHECK_NEAR(loss->value(o, vector), value, size * tolerance);
    CHECK(not_zero == 0 && delta[o->rows * o->ld] == 7);
    CHECK(nn__loss_count_right(o, loss->output) == n_right);
}

/* Rows that fit together into what is worked on at once, just, not quite; and longer ones. */
static void check_shapes(const nn__loss *loss, const nn__vector_kernels *vector) {
    static const size_t shapes[][2] = {{1, 1},   {10, 1},  {300, 1}, {10, 3},  {86, 3},
                                       {7, 10},  {26, 10}, {60, 10}, {2, 128}, {3, 129},
                                       {3, 256}, {3, 257}, {2, 600}, {5, 16},  {9, 33}};
    for (size_t i = 0; i < COUNT(shapes); i++)
        for (size_t gap = 0; gap < 8; gap += 1 + gap * 6) {
            const size_t rows = shapes[i][0], n = shapes[i][1];
            if (n < loss->fewest_outputs) continue;
            nn__outputs block = draw(loss, rows, n, n + gap, false, vector);
            check_block(loss, &block, vector);
            if (loss->labels_only) continue;
            block = draw(loss, rows, n, n + gap, true, vector);
            if (loss->cost == NN_COST_LOG_LIKELIHOOD) /* whose targets sum to 1 */
                for (size_t r = 0; r < rows; r++) {
                    nn_real *row = y + r * block.ld, sum = 0;
                    for (size_t j = 0; j < n; j++) sum += row[j];
                    for (size_t j = 0; j < n; j++) row[j] /= sum;
                }
            check_block(loss, &block, vector);
        }
}

static void blocks_are_the_sums_of_their_samples(void) {
    for_every_loss(check_shapes);
}

/* The order of every sum is the same: so are the bits. */
static void check_bits(const nn__loss *loss, const nn__vector_kernels *vector) {
    for (size_t n = loss->fewest_outputs; n < 300; n += 1 + n / 4) {
        nn__outputs block = draw(loss, 10, n, n, false, vector);
        double value = loss->value(&block, vector);
        block = draw(loss, 10, n, n, false, nn__vector_table(NN__CPU_PORTABLE));
        CHECK(value == loss->value(&block, nn__vector_table(NN__CPU_PORTABLE)));
        block = draw(loss, 10, n, n + 3, false, vector);
        for (size_t r = 0; r < 10; r++) /* the same numbers, further apart */
            for (size_t j = n; j < n + 3; j++) a[r * (n + 3) + j] = (nn_real)NAN;
        double apart = loss->value(&block, vector);
        for (size_t r = 0; r < 10; r++) {
            memmove(z + r * n, z + r * (n + 3), n * sizeof *z);
            memmove(a + r * n, a + r * (n + 3), n * sizeof *a);
            memmove(y + r * n, y + r * (n + 3), n * sizeof *y);
        }
        block.ld = n;
        CHECK(apart == loss->value(&block, vector));
    }
}

static void values_have_the_same_bits_at_every_level_and_row_stride(void) {
    for_every_loss(check_bits);
}

/* A NaN anywhere in the outputs, an infinite one where it matters: the value says so. */
static void check_bad_outputs(const nn__loss *loss, const nn__vector_kernels *vector) {
    const size_t n = 5, rows = 4;
    for (size_t at = 0; at < rows * n; at++) {
        nn__outputs block = draw(loss, rows, n, n, false, vector);
        z[at] = (nn_real)NAN;
        a[at] = (nn_real)NAN;
        if (loss->output == NN_ACTIVATION_SOFTMAX) vector->softmax(a, z, rows, n, n);
        CHECK(isnan(loss->value(&block, vector)));
        block = draw(loss, rows, n, n, false, vector);
        z[at] = y[at] > 0 ? (nn_real)-INFINITY : (nn_real)INFINITY;
        a[at] = z[at];
        if (loss->output == NN_ACTIVATION_SOFTMAX) vector->softmax(a, z, rows, n, n);
        if (loss->cost != NN_COST_QUADRATIC) CHECK(!isfinite(loss->value(&block, vector)));
    }
}

static void bad_outputs_come_through(void) {
    for_every_loss(check_bad_outputs);
}

/* Where the output is right and sure, what is left of the cost keeps its digits. */
static void a_small_loss_keeps_its_digits(void) {
    const nn__vector_kernels *vector = nn__vector_table(nn__cpu_best());
    const nn_real sure[4] = {20, -20, -20, -20}, one_hot[4] = {1, 0, 0, 0}, weight = 1;
    nn_real outputs[4];
    vector->softmax(outputs, sure, 1, 4, 4);
    const nn__outputs block = {sure, outputs, one_hot, &weight, 1, 4, 4};
    const nn__loss *loss = nn__loss_find(NN_COST_CROSS_ENTROPY, NN_ACTIVATION_SIGMOID);
    double wanted = 4 * log1p(exp(-20));
    CHECK_NEAR(loss->value(&block, vector), wanted, 4 * EPSILON * wanted);
    loss = nn__loss_find(NN_COST_LOG_LIKELIHOOD, NN_ACTIVATION_SOFTMAX);
    wanted = log1p(3 * exp(-40));
    CHECK_NEAR(loss->value(&block, vector), wanted, 4 * EPSILON * wanted);
}

int main(void) {
    static const check_case cases[] = {
        CASE(blocks_are_the_sums_of_their_samples),
        CASE(values_have_the_same_bits_at_every_level_and_row_stride),
        CASE(bad_outputs_come_through),
        CASE(a_small_loss_keeps_its_digits),
    };
    return check_run(cases, COUNT(cases));
}
