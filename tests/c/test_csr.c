/* Compressed sparse rows, and data that has nothing but a sparse form. */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "kernels/sparse.h"
#include "rig.h"

/* x (4, 5):   . 2 . . 3  /  . . . . .  /  0 . -1 . .  /  1 1 1 1 1      with one zero kept */
static const int32_t starts32[] = {0, 2, 2, 4, 9}, columns32[] = {1, 4, 0, 2, 0, 1, 2, 3, 4};
static const int64_t starts64[] = {0, 2, 2, 4, 9}, columns64[] = {1, 4, 0, 2, 0, 1, 2, 3, 4};
static const float singles[] = {2, 3, 0, -1, 1, 1, 1, 1, 1};
static const double doubles[] = {2, 3, 0, -1, 1, 1, 1, 1, 1};
static const uint8_t bytes[] = {2, 3, 0, 51, 1, 1, 1, 1, 1};
static const nn_csr good = {4, 5, 9, starts32, columns32, singles, 4, NN_DTYPE_FLOAT32};

static nn_status try_csr(const nn_csr *csr, size_t *row, size_t *column) {
    nn_sparse *sparse = NULL;
    nn_status status = nn_sparse_create_csr(&sparse, csr, row, column, NULL, NULL);
    CHECK((sparse != NULL) == (status == NN_OK));
    nn_sparse_free(sparse);
    return status;
}

/* ---- what comes out is what went in ---------------------------------------------------------- */

static void check_contents(const nn_csr *csr, double scale) {
    const double rows[4][5] = {
        {0, 2, 0, 0, 3}, {0}, {0, 0, csr->dtype == NN_DTYPE_UINT8 ? 51 : -1}, {1, 1, 1, 1, 1}};
    nn_real batch[4][5];
    size_t row, column;
    nn_sparse *sparse = NULL;
    CHECK_STATUS(nn_sparse_create_csr(&sparse, csr, &row, &column, NULL, NULL), NN_OK);
    CHECK(nn_sparse_n_rows(sparse) == 4 && nn_sparse_n_columns(sparse) == 5);
    CHECK(nn_sparse_n_nonzero(sparse) == 8 && nn__sparse_longest(sparse) == 5);
    nn__sparse_scatter(batch[0], 5, sparse, NULL, 0, 4);
    for (size_t i = 0; i < 20; i++)
        CHECK(batch[i / 5][i % 5] == (nn_real)(rows[i / 5][i % 5] / scale));
    nn_sparse_free(sparse);
}

static void all_dtypes_and_indices_are_read(void) {
    nn_csr csr = good;
    check_contents(&csr, 1);
    csr.row_start = starts64;
    csr.columns = columns64;
    csr.index_size = 8;
    csr.dtype = NN_DTYPE_FLOAT64;
    csr.values = doubles;
    check_contents(&csr, 1);
    csr.dtype = NN_DTYPE_UINT8;
    csr.values = bytes;
    check_contents(&csr, 255);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void malformed_rows_are_refused(void) {
    static const int32_t late[] = {1, 2, 2, 4, 9}, falling[] = {0, 2, 1, 4, 9};
    static const int32_t beyond[] = {0, 2, 2, 4, 10}, below[] = {0, -2, 2, 4, 9};
    static const int32_t *const starts[] = {late, falling, beyond, below};
    static const int32_t twice[] = {1, 1, 0, 2, 0, 1, 2, 3, 4};
    static const int32_t unsorted[] = {4, 1, 0, 2, 0, 1, 2, 3, 4};
    static const int32_t outside[] = {1, 5, 0, 2, 0, 1, 2, 3, 4};
    static const int32_t negative[] = {-1, 4, 0, 2, 0, 1, 2, 3, 4};
    static const int32_t *const columns[] = {twice, unsorted, outside, negative};
    size_t row, column;
    for (size_t i = 0; i < COUNT(starts); i++) {
        nn_csr csr = good;
        csr.row_start = starts[i];
        CHECK_STATUS(try_csr(&csr, &row, &column), NN_ERROR_ARGUMENT);
    }
    for (size_t i = 0; i < COUNT(columns); i++) {
        nn_csr csr = good;
        csr.columns = columns[i];
        CHECK_STATUS(try_csr(&csr, &row, &column), NN_ERROR_ARGUMENT);
    }
    nn_csr foreign = good, odd = good, thin = good, long_one = good;
    foreign.dtype = 3;
    odd.index_size = 2;
    thin.n_columns = 0;
    thin.n_rows = 0;
    long_one.n_columns = (size_t)UINT32_MAX + 1;
    CHECK_STATUS(try_csr(&foreign, &row, &column), NN_ERROR_ARGUMENT);
    CHECK_STATUS(try_csr(&odd, &row, &column), NN_ERROR_ARGUMENT);
    CHECK_STATUS(try_csr(&thin, &row, &column), NN_ERROR_SIZE);
    CHECK_STATUS(try_csr(&long_one, &row, &column), NN_ERROR_SIZE);
}

static void the_first_bad_number_is_named(void) {
    const double bad[] = {(double)NAN, HUGE_VAL, -HUGE_VAL, 1e300};
    double values[9];
    nn_csr csr = good;
    csr.values = values;
    csr.dtype = NN_DTYPE_FLOAT64;
    for (size_t i = 0; i < COUNT(bad); i++) {
        size_t row = 9, column = 9;
        memcpy(values, doubles, sizeof values);
        values[3] = bad[i];
        values[8] = (double)NAN;
        CHECK_STATUS(try_csr(&csr, &row, &column), NN_ERROR_NUMBER);
        const bool fits = bad[i] <= LARGEST && bad[i] >= -LARGEST;
        CHECK(row == (fits ? 3 : 2) && column == (fits ? 4 : 2));
    }
}

/* Stops when it has been asked so often. */
static int stop(void *context, const nn_progress *progress) {
    size_t *left = context;
    CHECK(progress->total == 4);
    return (*left)-- == 0;
}

/* Both passes ask: what the second has begun is freed. */
static void each_pass_can_be_stopped_or_find_no_memory(void) {
    nn_sparse *sparse = NULL;
    size_t row, column;
    for (size_t asked = 0; asked < 3; asked++) {
        size_t left = asked;
        nn_status status = nn_sparse_create_csr(&sparse, &good, &row, &column, stop, &left);
        CHECK_STATUS(status, asked < 2 ? NN_STOPPED : NN_OK);
        CHECK((sparse == NULL) == (asked < 2));
    }
    nn_sparse_free(sparse);
    for (size_t k = 1; k <= 4; k++) {
        nn_allocation_fail_at(k);
        CHECK_STATUS(try_csr(&good, &row, &column), NN_ERROR_MEMORY);
    }
    nn_allocation_fail_at(0);
}

/* ---- data without a dense x ------------------------------------------------------------------ */

/* Beside the rig's data, the same as CSR alone. */
static nn_data *sparse_twin(const rig *r, nn_sparse **sparse) {
    static int32_t starts[N_ROWS + 1], columns[N_ROWS * N_IN];
    static nn_real values[N_ROWS * N_IN];
    size_t row, column;
    nn_data *data = NULL;
    for (int32_t i = 0; i < N_ROWS * N_IN; i++) {
        starts[i / N_IN] = i / N_IN * N_IN;
        columns[i] = i % N_IN;
        values[i] = r->x[i / N_IN][i % N_IN];
    }
    starts[N_ROWS] = N_ROWS * N_IN;
    nn_csr csr = {N_ROWS, N_IN, N_ROWS * N_IN, starts, columns, values, 4, REAL_DTYPE};
    CHECK_STATUS(nn_sparse_create_csr(sparse, &csr, &row, &column, NULL, NULL), NN_OK);
    CHECK_STATUS(nn_data_create_sparse(&data, *sparse), NN_OK);
    CHECK_STATUS(nn_data_set_labels(data, r->labels, N_OUT), NN_OK);
    return data;
}

static void a_sparse_form_alone_trains_and_evaluates(void) {
    rig dense, sparse;
    nn_sparse *form = NULL;
    nn_scan of_dense, of_sparse;
    nn_evaluation one, other;
    make_bound(&dense);
    CHECK_STATUS(make_rig(&sparse), NN_OK);
    nn_data *data = sparse_twin(&sparse, &form);
    CHECK_STATUS(nn_trainer_bind(sparse.trainer, data, BATCH, &sparse.settings.optimizer), NN_OK);
    CHECK_STATUS(epoch(&dense), NN_OK);
    CHECK_STATUS(epoch(&sparse), NN_OK);
    CHECK_STATUS(nn_evaluate(dense.network, dense.data, NN_COST_CROSS_ENTROPY, &one, NULL, NULL),
                 NN_OK);
    CHECK_STATUS(nn_evaluate(sparse.network, data, NN_COST_CROSS_ENTROPY, &other, NULL, NULL),
                 NN_OK);
    CHECK_NEAR(one.loss, other.loss, 64 * EPSILON); /* sums in another order at most */
    CHECK_STATUS(nn_data_scan(dense.data, true, NULL, NULL, &of_dense), NN_OK);
    CHECK_STATUS(nn_data_scan(data, true, NULL, NULL, &of_sparse), NN_OK);
    CHECK(of_sparse.finite && of_sparse.largest == of_dense.largest);
    CHECK(of_sparse.n_nonzero == of_dense.n_nonzero && of_sparse.checksum == 0);
    CHECK_STATUS(nn_data_set_sparse(data, NULL), NN_ERROR_ARGUMENT);
    nn_trainer_unbind(sparse.trainer);
    nn_data_free(data);
    nn_sparse_free(form);
    free_rig(&dense);
    free_rig(&sparse);
}

static void a_form_must_have_the_size_of_its_data(void) {
    nn_real x[4][5] = {{0}}, other[5][4] = {{0}};
    nn_data *data = wrap(x[0], 4, 5), *turned = wrap(other[0], 5, 4);
    nn_sparse *form = NULL;
    CHECK_STATUS(nn_sparse_create(&form, data, 0, NULL, NULL), NN_OK);
    CHECK_STATUS(nn_data_set_sparse(data, form), NN_OK);
    CHECK_STATUS(nn_data_set_sparse(turned, form), NN_ERROR_SHAPE);
    CHECK_STATUS(nn_data_set_sparse(data, NULL), NN_OK);
    nn_data_free(data);
    nn_data_free(turned);
    nn_sparse_free(form);
    nn_sparse_free(NULL);
}

int main(void) {
    static const check_case cases[] = {
        CASE(all_dtypes_and_indices_are_read),
        CASE(malformed_rows_are_refused),
        CASE(the_first_bad_number_is_named),
        CASE(each_pass_can_be_stopped_or_find_no_memory),
        CASE(a_sparse_form_alone_trains_and_evaluates),
        CASE(a_form_must_have_the_size_of_its_data),
    };
    return check_run(cases, sizeof cases / sizeof *cases);
}
