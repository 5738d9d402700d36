/* The sparse form: scans and checksums, nonzeros made, gathered and written out; CSR. Every case
 * runs at every level of kernels that this CPU has. */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "helpers.h"
#include "kernels/rows.h"
#include "public/objects.h"

/* ---- an x with chosen contents --------------------------------------------------------------- */

/* Rows lie apart, forwards or backwards, each in its own memory but for the size of the numbers. */
typedef struct table {
    nn_input x;
    unsigned char *memory;
    size_t size; /* of a number */
} table;

static uint64_t random_state = 1;

static uint64_t next_random(void) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return random_state >> 33;
}

static double uniform(void) {
    return (double)next_random() / (double)(1u << 31);
}

static size_t size_of(int dtype) {
    return dtype == NN_DTYPE_UINT8 ? 1 : dtype == NN_DTYPE_FLOAT32 ? 4 : 8;
}

static void put(const table *t, size_t row, size_t column, double value) {
    unsigned char *at = t->memory + (t->x.row_stride < 0 ? t->x.n_rows - 1 - row : row) *
                                        (size_t)labs((long)t->x.row_stride);
    float single = (float)value;
    if (t->x.dtype == NN_DTYPE_UINT8) at[column] = (unsigned char)value;
    if (t->x.dtype == NN_DTYPE_FLOAT32) memcpy(at + column * 4, &single, 4);
    if (t->x.dtype == NN_DTYPE_FLOAT64) memcpy(at + column * 8, &value, 8);
}

/* Numbers of all sizes, some denormal or as large as a float can be, and -0. */
static double odd_number(void) {
    static const double odd[] = {1e-45, -1e-40, 1e-320, 3.4e38, -3.4e38, -0.0, 1e-38, 1.0 / 3};
    return next_random() % 4 == 0 ? odd[next_random() % COUNT(odd)] : uniform() - 0.5;
}

/* gap: numbers between the rows; backwards: the last row lies first in memory. */
static table make_table(int dtype, size_t n_rows, size_t n_columns, double density, size_t gap,
                        bool backwards) {
    table t = {.size = size_of(dtype)};
    const size_t stride = (n_columns + gap) * t.size;
    t.memory = calloc(n_rows * stride + 1, 1);
    t.x = (nn_input){t.memory + (backwards && n_rows > 0 ? (n_rows - 1) * stride : 0), dtype,
                     n_rows, n_columns, backwards ? -(ptrdiff_t)stride : (ptrdiff_t)stride};
    for (size_t r = 0; r < n_rows; r++)
        for (size_t c = 0; c < n_columns && r % 5 != 3; c++) /* every fifth row is empty */
            if (uniform() < density)
                put(&t, r, c,
                    dtype == NN_DTYPE_UINT8 ? (double)(next_random() % 256) : odd_number());
    return t;
}

static void free_table(table *t) {
    free(t->memory);
}

static nn_scan scan_of(const nn_input *x) {
    nn_scan scan;
    nn_data *data = NULL;
    CHECK_STATUS(nn_data_create(&data, x), NN_OK);
    CHECK_STATUS(nn_data_scan(data, true, NULL, NULL, &scan), NN_OK);
    nn_data_free(data);
    return scan;
}

static nn__sparse *sparse_of(const nn_input *x) {
    nn__sparse *sparse = NULL;
    CHECK_STATUS(nn__sparse_create(&sparse, x, scan_of(x).n_nonzero, NULL, NULL), NN_OK);
    return sparse;
}

/* ---- running over shapes and levels ---------------------------------------------------------- */

static const size_t widths[] = {1, 2, 15, 16, 63, 64, 65, 129, 784, 1100, 4099};

/* Calls the case for tables of every kind, at every level. */
static void for_tables(void (*run)(const table *t)) {
    for (int level = NN__CPU_PORTABLE; level <= (int)nn__cpu_best(); level++) {
        nn__sparse_start((nn__cpu_level)level);
        random_state = 1; /* the same tables at every level */
        for (size_t w = 0; w < COUNT(widths); w++)
            for (int dtype = NN_DTYPE_FLOAT32; dtype <= NN_DTYPE_UINT8; dtype++)
                for (int density = 0; density <= 4; density++) {
                    table t =
                        make_table(dtype, 11, widths[w], density / 4.0, w % 3, density % 2 == 1);
                    run(&t);
                    free_table(&t);
                }
    }
    nn__sparse_start(nn__cpu_best());
}

/* ---- the scan -------------------------------------------------------------------------------- */

static double number(const nn_input *x, size_t row, size_t column) {
    const unsigned char *at =
        (const unsigned char *)nn__rows_row(x, row) + column * size_of(x->dtype);
    float single;
    double value;
    memcpy(&single, at, x->dtype == NN_DTYPE_FLOAT32 ? 4 : 0);
    memcpy(&value, at, x->dtype == NN_DTYPE_FLOAT64 ? 8 : 0);
    return x->dtype == NN_DTYPE_UINT8 ? *at : x->dtype == NN_DTYPE_FLOAT32 ? (double)single : value;
}

static void check_scan(const table *t) {
    const nn_scan scan = scan_of(&t->x);
    size_t n_nonzero = 0;
    double largest = -HUGE_VAL;
    for (size_t r = 0; r < t->x.n_rows; r++)
        for (size_t c = 0; c < t->x.n_columns; c++) {
            const double value = number(&t->x, r, c);
            n_nonzero += value != 0;
            largest = value > largest ? value : largest;
        }
    CHECK(scan.finite && scan.n_nonzero == n_nonzero && scan.largest == largest);
}

static void a_scan_counts_and_finds_the_largest(void) {
    for_tables(check_scan);
}

/* All numbers below zero: the largest is the one nearest to it. */
static void the_largest_of_negative_numbers_is_found(void) {
    for (int dtype = NN_DTYPE_FLOAT32; dtype <= NN_DTYPE_FLOAT64; dtype++) {
        table t = make_table(dtype, 3, 70, 0, 0, false);
        for (size_t i = 0; i < 210; i++) put(&t, i / 70, i % 70, i == 100 ? -0.25 : -2.0);
        CHECK(scan_of(&t.x).largest == -0.25);
        free_table(&t);
    }
}

/* The checksum of x at the portable level, of rows without gaps. */
static uint64_t portable_checksum(const table *t) {
    const size_t row = t->x.n_columns * t->size;
    unsigned char *tight = malloc(t->x.n_rows * row + 1);
    nn_input x = t->x;
    for (size_t r = 0; r < x.n_rows; r++) memcpy(tight + r * row, nn__rows_row(&t->x, r), row);
    x.values = tight;
    x.row_stride = (ptrdiff_t)row;
    nn__rows_scan scan = nn__rows_scan_begin(true);
    nn__sparse_start(NN__CPU_PORTABLE);
    nn__rows_scan_block(&scan, &x, 0, x.n_rows);
    free(tight);
    return nn__rows_scan_checksum(&scan, &x);
}

static void check_checksum(const table *t) {
    const uint64_t sum = scan_of(&t->x).checksum;
    const nn__sparse_loops *level = nn__sparse_table();
    CHECK(sum == portable_checksum(t));
    for (int i = NN__CPU_PORTABLE; nn__sparse_table() != level && i <= NN__CPU_V4; i++)
        nn__sparse_start((nn__cpu_level)i);
}

static void a_checksum_depends_on_neither_strides_nor_level(void) {
    for_tables(check_checksum);
}

/* Every single bit, every two neighbouring numbers and rows exchanged: all sums differ. */
static void any_change_changes_the_checksum(void) {
    enum { ROWS = 5, COLUMNS = 37 };
    for (int dtype = NN_DTYPE_FLOAT32; dtype <= NN_DTYPE_UINT8; dtype++) {
        table t = make_table(dtype, ROWS, COLUMNS, 0, 0, false);
        const size_t bytes = ROWS * COLUMNS * t.size;
        unsigned char kept[ROWS * COLUMNS * 8];
        for (size_t i = 0; i < ROWS * COLUMNS; i++)
            put(&t, i / COLUMNS, i % COLUMNS, (double)(i + 1));
        memcpy(kept, t.memory, bytes);
        const uint64_t sum = scan_of(&t.x).checksum;
        for (size_t bit = 0; bit < 8 * bytes; bit++) {
            t.memory[bit / 8] ^= (unsigned char)(1u << bit % 8);
            nn_scan changed = scan_of(&t.x);
            CHECK(changed.checksum != sum || !changed.finite);
            memcpy(t.memory, kept, bytes);
        }
        for (size_t apart = 1; apart <= COLUMNS; apart += COLUMNS - 1)
            for (size_t i = 0; i + apart < ROWS * COLUMNS; i++) {
                memcpy(t.memory + i * t.size, kept + (i + apart) * t.size, t.size);
                memcpy(t.memory + (i + apart) * t.size, kept + i * t.size, t.size);
                CHECK(scan_of(&t.x).checksum != sum);
                memcpy(t.memory, kept, bytes);
            }
        for (size_t r = 0; r + 1 < ROWS; r++) {
            const size_t row = COLUMNS * t.size;
            memcpy(t.memory + r * row, kept + (r + 1) * row, row);
            memcpy(t.memory + (r + 1) * row, kept + r * row, row);
            CHECK(scan_of(&t.x).checksum != sum);
            memcpy(t.memory, kept, bytes);
        }
        nn_input shaped = t.x; /* the same bytes as another shape */
        shaped.n_rows = COLUMNS;
        shaped.n_columns = ROWS;
        shaped.row_stride = (ptrdiff_t)(ROWS * t.size);
        CHECK(scan_of(&shaped).checksum != sum);
        CHECK(scan_of(&t.x).checksum == sum);
        free_table(&t);
    }
}

static void check_bad(const table *t) {
    const double bad[] = {(double)NAN, HUGE_VAL, -HUGE_VAL};
    const size_t row = t->x.n_rows / 2, column = t->x.n_columns * 2 / 3;
    if (t->x.dtype == NN_DTYPE_UINT8) return;
    put(t, row, t->x.n_columns - 1, (double)NAN); /* later in the row, and in the next row */
    put(t, row + 1, 0, HUGE_VAL);
    for (size_t i = 0; i < COUNT(bad); i++) {
        put(t, row, column, bad[i]);
        nn_scan scan = scan_of(&t->x);
        CHECK(!scan.finite && scan.row == row && scan.column == column);
    }
}

static void a_scan_finds_the_first_bad_number_exactly(void) {
    for_tables(check_bad);
}

/* ---- rows taken from it ---------------------------------------------------------------------- */

/* Entries with exactly this much room, so that a sanitizer sees every step beyond. */
static nn__entries make_entries(size_t rows, size_t room) {
    return (nn__entries){.start = malloc((rows + 1) * sizeof(uint32_t)),
                         .column = malloc(room * sizeof(uint32_t)),
                         .value = malloc(room * sizeof(nn_real))};
}

static void free_entries(nn__entries *e) {
    free(e->start);
    free(e->column);
    free(e->value);
}

/* The entries are the nonzeros of dense (n, width), a nonzero of x that rounds to 0 aside. */
static void check_entries(const nn__entries *e, const nn_real *dense, size_t n, size_t width) {
    bool right = e->rows == n && e->start[0] == 0;
    for (size_t r = 0; r < n; r++) {
        uint32_t at = e->start[r];
        for (size_t c = 0; c < width; c++) {
            const bool listed = at < e->start[r + 1] && e->column[at] == c;
            const nn_real value = listed ? e->value[at++] : 0;
            right = right && value == dense[r * width + c];
        }
        right = right && at == e->start[r + 1];
    }
    CHECK(right);
}

static void check_gather(const table *t) {
    static const uint32_t order[] = {10, 0, 3, 3, 7, 1};
    const size_t n = COUNT(order), width = t->x.n_columns, ld = width + 3;
    nn__sparse *sparse = sparse_of(&t->x);
    nn_real *dense = malloc(n * width * sizeof *dense), *batch = malloc(n * ld * sizeof *batch);
    for (int ordered = 0; ordered < 2; ordered++) {
        const uint32_t *rows = ordered ? order : NULL;
        const size_t count = nn__sparse_count(sparse, rows, 2, n);
        nn__entries gathered = make_entries(n, count), pressed = make_entries(n, n * width);
        nn__rows_gather(dense, width, &t->x, rows, 2, n);
        if (ordered) nn__sparse_prefetch(sparse, order, n);
        nn__sparse_gather(&gathered, sparse, rows, 2, n);
        CHECK(gathered.start[n] == count);
        check_entries(&gathered, dense, n, width);
        memset(gathered.column, 0xff, count * sizeof *gathered.column);
        memset(gathered.value, 0xff, count * sizeof *gathered.value);
        nn__sparse_gather_start(&gathered, sparse, rows, 2, n); /* the last rows before the first */
        nn__sparse_gather_rows(&gathered, sparse, rows, 2, 4, n);
        nn__sparse_gather_rows(&gathered, sparse, rows, 2, 0, 4);
        check_entries(&gathered, dense, n, width);
        CHECK(nn__rows_compress(&pressed, &t->x, rows, 2, n) == count);
        check_entries(&pressed, dense, n, width);
        for (size_t r = 0; r < n; r++)
            CHECK(gathered.start[r + 1] - gathered.start[r] <= nn__sparse_longest(sparse));
        for (size_t i = 0; i < n * ld; i++) batch[i] = 7;
        nn__sparse_scatter(batch, ld, sparse, rows, 2, n);
        bool same = true;
        for (size_t i = 0; i < n * ld; i++)
            same = same && batch[i] == (i % ld < width ? dense[i / ld * width + i % ld] : 7);
        CHECK(same);
        free_entries(&gathered);
        free_entries(&pressed);
    }
    free(dense);
    free(batch);
    nn__sparse_free(sparse);
}

static void batches_are_those_of_the_dense_x(void) {
    for_tables(check_gather);
}

/* Two bytes hold a column up to 65,536 columns, four beyond. */
static void columns_take_two_bytes_as_long_as_they_can(void) {
    for (size_t width = 65536; width <= 65537; width++) {
        table t = make_table(NN_DTYPE_FLOAT32, 11, width, 0.01, 0, false);
        put(&t, 1, width - 1, 5);
        nn__sparse *sparse = sparse_of(&t.x);
        CHECK(nn_sparse_bytes(sparse) ==
              12 * sizeof(size_t) + sparse->n_nonzero * (width == 65536 ? 6u : 8u));
        nn__sparse_free(sparse);
        check_gather(&t);
        free_table(&t);
    }
}

static void every_byte_is_divided_by_255(void) {
    uint8_t bytes[256];
    nn_real value[256];
    for (size_t i = 0; i < 256; i++) bytes[i] = (uint8_t)i;
    nn_input x = {bytes, NN_DTYPE_UINT8, 1, 256, 256};
    for (int level = NN__CPU_PORTABLE; level <= (int)nn__cpu_best(); level++) {
        nn__sparse_start((nn__cpu_level)level);
        nn__sparse *sparse = sparse_of(&x);
        nn__sparse_scatter(value, 256, sparse, NULL, 0, 1);
        for (size_t i = 0; i < 256; i++) CHECK(value[i] == (nn_real)((double)i / 255.0));
        CHECK(sparse->n_nonzero == 255);
        nn__sparse_free(sparse);
    }
}

/* ---- making fails ---------------------------------------------------------------------------- */

static int stop(void *context, const nn_progress *progress) {
    (void)progress;
    return ++*(int *)context == 2;
}

static void what_cannot_be_made_leaves_nothing(void) {
    table t = make_table(NN_DTYPE_FLOAT32, 3000, 5, 0.5, 0, false);
    const size_t n = scan_of(&t.x).n_nonzero;
    int asked = 0;
    nn__sparse *sparse = NULL;
    CHECK_STATUS(nn__sparse_create(&sparse, &t.x, n - 1, NULL, NULL), NN_ERROR_ARGUMENT);
    CHECK_STATUS(nn__sparse_create(&sparse, &t.x, n + 1, NULL, NULL), NN_ERROR_ARGUMENT);
    CHECK_STATUS(nn__sparse_create(&sparse, &t.x, n, stop, &asked), NN_STOPPED);
    for (size_t k = 1; k <= 5; k++) {
        nn_allocation_fail_at(k);
        CHECK_STATUS(nn__sparse_create(&sparse, &t.x, n, NULL, NULL), NN_ERROR_MEMORY);
        CHECK(sparse == NULL);
    }
    nn_allocation_fail_at(0);
    nn__sparse_free(NULL);
    free_table(&t);
}

int main(void) {
    static const check_case cases[] = {
        CASE(a_scan_counts_and_finds_the_largest),
        CASE(the_largest_of_negative_numbers_is_found),
        CASE(a_checksum_depends_on_neither_strides_nor_level),
        CASE(any_change_changes_the_checksum),
        CASE(a_scan_finds_the_first_bad_number_exactly),
        CASE(batches_are_those_of_the_dense_x),
        CASE(columns_take_two_bytes_as_long_as_they_can),
        CASE(every_byte_is_divided_by_255),
        CASE(what_cannot_be_made_leaves_nothing),
    };
    CHECK_STATUS(nn_start(), NN_OK); /* chooses a level, which the cases change */
    return check_run(cases, sizeof cases / sizeof *cases);
}
