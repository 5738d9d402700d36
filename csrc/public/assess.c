/* How a network does sample by sample: losses, classes, ranks, probabilities, in one sweep. */
#include <math.h>
#include <string.h>

#include "kernels/sum.h"
#include "public/objects.h"

typedef struct assessing {
    const nn__plan *plan;
    const nn__vector_kernels *vector;
    const nn_assessment *to;
} assessing;

/* Row r of a block. */
static nn__outputs row_of(const nn__outputs *outputs, size_t r) {
    static const nn_real unweighted = 1;
    const size_t at = r * outputs->ld;
    return (nn__outputs){.z = outputs->z + at,
                         .a = outputs->a + at,
                         .y = outputs->y + at,
                         .weights = &unweighted,
                         .rows = 1,
                         .n = outputs->n,
                         .ld = outputs->ld};
}

/* How many classes stand before this one: larger outputs, and equal ones that come first. So it is
 * 0 for the first largest alone.   a (n,) */
static size_t rank_of(const nn_real *a, size_t n, size_t class) {
    size_t rank = 0;
    for (size_t j = 0; j < class; j++) rank += !(a[j] < a[class]);
    for (size_t j = class + 1; j < n; j++) rank += a[j] > a[class];
    return rank;
}

/* The probability of a class, NaN where the outputs are none. Sigmoids that have all underflowed
 * know nothing: all classes alike.   a (n,) */
static double probability_of(const nn_real *a, size_t n, nn_activation output, size_t class) {
    if (output == NN_ACTIVATION_SOFTMAX) return (double)a[class];
    if (output != NN_ACTIVATION_SIGMOID) return (double)NAN;
    if (n == 1) return (double)(class == 1 ? a[0] : 1 - a[0]);
    const double sum = nn__sum(a, n);
    return sum > 0 ? (double)a[class] / sum : 1 / (double)n;
}

/* Classes, rank and probabilities of a row, which go to place `at`. */
static void assess_classes(const nn_assessment *to, const nn__outputs *row, nn_activation output,
                           size_t at) {
    const size_t n = row->n, predicted = nn__loss_class(row->a, n, output),
                 actual = nn__loss_class(row->y, n, output);
    if (to->predicted != NULL) to->predicted[at] = (int64_t)predicted;
    if (to->actual != NULL) to->actual[at] = (int64_t)actual;
    if (to->rank != NULL)
        to->rank[at] = n == 1 ? predicted != actual : (int64_t)rank_of(row->a, n, actual);
    if (to->confidence != NULL) to->confidence[at] = probability_of(row->a, n, output, predicted);
    if (to->probability != NULL) to->probability[at] = probability_of(row->a, n, output, actual);
}

static void assess_block(void *context, const nn__outputs *outputs, size_t first) {
    const assessing *as = context;
    const nn_assessment *to = as->to;
    const nn__loss *loss = as->plan->loss;
    const size_t n = outputs->n;
    const bool has_classes = !nn__loss_is_regression(loss, n);
    for (size_t r = 0; r < outputs->rows; r++) {
        const nn__outputs row = row_of(outputs, r);
        const size_t at = first + r;
        if (to->loss != NULL) to->loss[at] = loss->value(&row, as->vector);
        if (has_classes) assess_classes(to, &row, loss->output, at);
        if (to->z != NULL) memcpy(to->z + at * n, row.z, n * sizeof *row.z);
        if (to->a != NULL) memcpy(to->a + at * n, row.a, n * sizeof *row.a);
    }
}

nn_status nn_assess(const nn_network *network, const nn_data *data, const nn_assessment *assessment,
                    nn_poll *poll, void *poll_context) {
    assessing as = {.plan = &network->plan, .vector = network->vector, .to = assessment};
    NN_TRY(nn__data_check(data, as.plan, as.plan->loss));
    return nn__sweep_outputs(network, data, assess_block, &as, poll, poll_context);
}
