/* Level kernels: exp, log1p, sigmoid, tanh, relu, softmax and cross_entropy of every CPU level,
 * beside the C library's functions of long double. */
#include <stdint.h>
#include <string.h>

#include "helpers.h"
#include "kernels/vector.h"

#ifdef NN_DOUBLE
enum { DIGITS = DBL_MANT_DIG, LOWEST_EXPONENT = DBL_MIN_EXP, HIGHEST_EXPONENT = DBL_MAX_EXP };
#else
enum { DIGITS = FLT_MANT_DIG, LOWEST_EXPONENT = FLT_MIN_EXP, HIGHEST_EXPONENT = FLT_MAX_EXP };
#endif

/* The bound that vector.h states; where long double has no more digits than double (on some CPUs,
 * under valgrind) one for references that are rounded several times themselves, a softmax of a
 * thousand terms most. */
static double most_ulps(void) {
    volatile long double one = 1.0L, tiny = 0x1p-60L;
    return DIGITS < DBL_MANT_DIG || one + tiny != one ? NN__FUNCTION_ULPS : 4 * NN__FUNCTION_ULPS;
}

/* The distance of x from the exact value, in units of the last place that the exact one has. */
static double ulps(nn_real x, long double exact) {
    int exponent;
    if (x == (nn_real)exact) return 0; /* infinities too */
    if (isnan(exact)) return isnan(x) ? 0 : (double)INFINITY;
    frexpl(exact, &exponent);
    if (exponent < LOWEST_EXPONENT) exponent = LOWEST_EXPONENT;
    return (double)fabsl(ldexpl((long double)x - exact, DIGITS - exponent));
}

static bool same_bits(const nn_real *a, const nn_real *b, size_t n) {
    return memcmp(a, b, n * sizeof *a) == 0;
}

/* ---- the functions of one argument ---------------------------------------------------------- */

typedef void vector_function(nn_real *restrict y, const nn_real *restrict x, size_t n);

enum { EXP, LOG1P, SIGMOID, TANH, RELU, N_FUNCTIONS };
static const char *const names[N_FUNCTIONS] = {"exp", "log1p", "sigmoid", "tanh", "relu"};

static vector_function *function_of(const nn__vector_kernels *vector, size_t f) {
    vector_function *const functions[N_FUNCTIONS] = {vector->exp, vector->log1p, vector->sigmoid,
                                                     vector->tanh, vector->relu};
    return functions[f];
}

static long double exact(size_t f, long double x) {
    switch (f) {
    case EXP:
        return expl(x);
    case LOG1P:
        return log1pl(x);
    case SIGMOID:
        return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x));
    case TANH:
        return tanhl(x);
    default:
        return x <= 0 ? 0 : x;
    }
}

/* Runs a check for every level that this CPU has, from the lowest. */
static void at_every_level(void (*check)(const nn__vector_kernels *vector)) {
    for (int level = NN__CPU_PORTABLE; level <= (int)nn__cpu_best(); level++) {
        size_t before = check_failures;
        check(nn__vector_table((nn__cpu_level)level));
        if (check_failures != before)
            printf("    at level %s\n", nn__cpu_name((nn__cpu_level)level));
    }
}

enum { N_SAMPLES = 1 << 16 };
static nn_real x[N_SAMPLES], y[N_SAMPLES];
static long double wanted[N_SAMPLES];

/* A number from 0 to 1: the upper bits of a linear congruential generator (D. Knuth's MMIX). */
static double uniform(void) {
    static uint64_t state = 2026;
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(state >> 11) * 0x1p-53;
}

/* x (N_SAMPLES,): half of them evenly from -90 .. 90, half from every exponent that numbers have,
 * the denormal ones among them. log1p takes none that is negative. */
static void draw_samples(size_t f) {
    const int lowest = LOWEST_EXPONENT - DIGITS + 1;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        int exponent = lowest + (int)(i % (size_t)(HIGHEST_EXPONENT - lowest + 1));
        double sign = i / 2 % 2 == 0 || f == LOG1P ? 1 : -1, size = 0.5 + uniform() / 2;
        double even = f == LOG1P ? 90 * uniform() : 180 * uniform() - 90;
        x[i] = (nn_real)(i < N_SAMPLES / 2 ? even : sign * ldexp(size * (1 - EPSILON), exponent));
    }
}

static void check_samples(const nn__vector_kernels *vector, size_t f) {
    double worst = 0;
    size_t at = 0;
    function_of(vector, f)(y, x, N_SAMPLES);
    for (size_t i = 0; i < N_SAMPLES; i++)
        if (!(ulps(y[i], wanted[i]) <= worst)) worst = ulps(y[at = i], wanted[i]);
    CHECK_NEAR(worst, 0, f == RELU ? 0 : most_ulps());
    printf("    %s: %.2f ulp at %.17g\n", names[f], worst, (double)x[at]);
}

static void functions_are_as_exact_as_stated(void) {
    for (size_t f = 0; f < N_FUNCTIONS; f++) {
        draw_samples(f);
        for (size_t i = 0; i < N_SAMPLES; i++) wanted[i] = exact(f, (long double)x[i]);
        for (int level = NN__CPU_PORTABLE; level <= (int)nn__cpu_best(); level++)
            check_samples(nn__vector_table((nn__cpu_level)level), f);
    }
}

/* f(x) at places where it is known: a NaN for NaN, signs of zero included. */
static void check_at(const nn__vector_kernels *vector, size_t f, double argument, double value) {
    nn_real in = (nn_real)argument, out = 7;
    function_of(vector, f)(&out, &in, 1);
    bool right =
        isnan(value) ? isnan(out) : out == (nn_real)value && !signbit(out) == !signbit(value);
    CHECK(right);
    if (!right) printf("        %s(%g) = %g\n", names[f], argument, (double)out);
}

static void check_edges(const nn__vector_kernels *vector) {
    const double huge = (double)LARGEST, tiny = ldexp(1, LOWEST_EXPONENT - DIGITS);
    const double cases[][3] = {
        {EXP, 0, 1},         {EXP, -0.0, 1},        {EXP, INFINITY, INFINITY},
        {EXP, -INFINITY, 0}, {EXP, huge, INFINITY}, {EXP, -huge, 0},
        {EXP, tiny, 1},      {EXP, NAN, NAN},       {LOG1P, 0, 0},
        {LOG1P, tiny, tiny}, {LOG1P, NAN, NAN},     {LOG1P, INFINITY, INFINITY},
        {SIGMOID, 0, 0.5},   {SIGMOID, -0.0, 0.5},  {SIGMOID, INFINITY, 1},
        {SIGMOID, 200, 1},   {SIGMOID, -huge, 0},   {SIGMOID, -INFINITY, 0},
        {SIGMOID, huge, 1},  {SIGMOID, NAN, NAN},   {TANH, 0, 0},
        {TANH, -0.0, -0.0},  {TANH, tiny, tiny},    {TANH, -tiny, -tiny},
        {TANH, huge, 1},     {TANH, -INFINITY, -1}, {TANH, INFINITY, 1},
        {TANH, NAN, NAN},    {RELU, -0.0, 0},       {RELU, -INFINITY, 0},
        {RELU, tiny, tiny},  {RELU, -tiny, 0},      {RELU, INFINITY, INFINITY},
        {RELU, NAN, NAN},    {SIGMOID, -1000, 0},   {TANH, -NAN, NAN},
        {EXP, -NAN, NAN},    {SIGMOID, -NAN, NAN},  {RELU, -NAN, NAN},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_at(vector, (size_t)cases[i][0], cases[i][1], cases[i][2]);
}

static void functions_are_right_at_the_edges(void) {
    at_every_level(check_edges);
}

/* ---- any length, every level ---------------------------------------------------------------- */

enum { LARGEST_N = 67 };

/* Of n numbers each is what it is among many, and none behind them changes. */
static void check_lengths(const nn__vector_kernels *vector) {
    for (size_t f = 0; f < N_FUNCTIONS; f++) {
        draw_samples(f);
        function_of(vector, f)(y, x, N_SAMPLES);
        for (size_t n = 0; n <= LARGEST_N; n++) {
            nn_real part[LARGEST_N + 2] = {0};
            part[n] = part[n + 1] = 7;
            function_of(vector, f)(part, x + n, n);
            CHECK(same_bits(part, y + n, n));
            CHECK(part[n] == 7 && part[n + 1] == 7);
        }
    }
}

static void functions_are_right_for_every_length(void) {
    at_every_level(check_lengths);
}

static void check_against_portable(const nn__vector_kernels *vector) {
    static nn_real portable[N_SAMPLES];
    for (size_t f = 0; f < N_FUNCTIONS; f++) {
        draw_samples(f);
        function_of(nn__vector_table(NN__CPU_PORTABLE), f)(portable, x, N_SAMPLES);
        function_of(vector, f)(y, x, N_SAMPLES);
        CHECK(same_bits(y, portable, N_SAMPLES));
    }
    draw_samples(EXP);
    for (size_t n = 1; n <= 300; n += 1 + n / 10) {
        const size_t rows = 1 + 1000 / n;
        nn__vector_table(NN__CPU_PORTABLE)->softmax(portable, x, rows, n, n);
        vector->softmax(y, x, rows, n, n);
        CHECK(same_bits(y, portable, rows * n));
    }
    nn__vector_table(NN__CPU_PORTABLE)->cross_entropy(portable, x, x + 1, N_SAMPLES / 2);
    vector->cross_entropy(y, x, x + 1, N_SAMPLES / 2);
    CHECK(same_bits(y, portable, N_SAMPLES / 2));
}

static void levels_give_the_same_bits(void) {
    at_every_level(check_against_portable);
}

/* ---- softmax -------------------------------------------------------------------------------- */

/* Rows ld apart, NaN between them. z are whole eighths, so that z - max z is exact. */
static void check_softmax(const nn__vector_kernels *vector, size_t rows, size_t n, size_t ld) {
    double worst = 0;
    size_t not_zero = 0;
    for (size_t i = 0; i < rows * ld; i++)
        x[i] = i % ld < n ? (nn_real)(round(800 * uniform() - 400) / 8) : (nn_real)NAN;
    for (size_t i = 0; i <= rows * ld; i++) y[i] = 7;
    vector->softmax(y, x, rows, n, ld);
    for (size_t r = 0; r < rows; r++) {
        const nn_real *z = x + r * ld, *a = y + r * ld;
        long double largest = -INFINITY, sum = 0;
        for (size_t j = 0; j < n; j++) largest = fmaxl(largest, (long double)z[j]);
        for (size_t j = 0; j < n; j++) sum += expl((long double)z[j] - largest);
        for (size_t j = 0; j < n; j++)
            worst = fmax(worst, ulps(a[j], expl((long double)z[j] - largest) / sum));
        for (size_t j = n; j < ld; j++) not_zero += a[j] != 0;
    }
    CHECK_NEAR(worst, 0, most_ulps() * NN__SOFTMAX_ULPS / NN__FUNCTION_ULPS);
    CHECK(not_zero == 0 && y[rows * ld] == 7);
}

static void check_softmax_shapes(const nn__vector_kernels *vector) {
    static const size_t widths[] = {1, 2, 3, 10, 15, 16, 17, 33, 100, 255, 256, 257, 1000};
    static const size_t heights[] = {1, 2, 7, 27};
    for (size_t i = 0; i < COUNT(widths); i++)
        for (size_t k = 0; k < COUNT(heights); k++) {
            check_softmax(vector, heights[k], widths[i], widths[i]);
            check_softmax(vector, heights[k], widths[i], widths[i] + 5);
        }
}

static void softmax_is_right_for_every_shape(void) {
    at_every_level(check_softmax_shapes);
}

/* A NaN or a positive infinity makes its row NaN; no other row. */
/* The largest of z is found wherever it stands: the others, far below it, become 0. */
static void check_softmax_peaks(const nn__vector_kernels *vector) {
    static const size_t widths[] = {1, 2, 15, 16, 17, 32, 33, 48, 100, 257};
    for (size_t i = 0; i < COUNT(widths); i++)
        for (size_t n = widths[i], at = 0; at < n; at++) {
            size_t n_wrong = 0;
            for (size_t j = 0; j < n; j++) x[j] = j == at ? 500 : -500;
            vector->softmax(y, x, 1, n, n);
            for (size_t j = 0; j < n; j++) n_wrong += y[j] != (j == at);
            CHECK(n_wrong == 0);
        }
}

static void softmax_finds_the_largest_anywhere(void) {
    at_every_level(check_softmax_peaks);
}

static void check_softmax_bad_rows(const nn__vector_kernels *vector) {
    static const size_t widths[] = {3, 20, 300};
    for (size_t i = 0; i < COUNT(widths); i++)
        for (size_t at = 0; at < widths[i]; at++) {
            const size_t n = widths[i];
            for (size_t j = 0; j < 2 * n; j++) x[j] = (nn_real)(j % 7);
            x[at] = (nn_real)(at % 2 == 0 ? NAN : INFINITY);
            vector->softmax(y, x, 2, n, n);
            size_t n_right = 0;
            for (size_t j = 0; j < n; j++) n_right += isnan(y[j]) && isfinite(y[n + j]);
            CHECK(n_right == n);
        }
}

static void softmax_hands_bad_numbers_on(void) {
    at_every_level(check_softmax_bad_rows);
}

/* ---- cross_entropy -------------------------------------------------------------------------- */

static nn_real targets[N_SAMPLES];

/* With targets 0 and 1 nothing is lost beside the function's own error: where the output is right
 * the cost is ln(1 + e^-|z|), else |z| is added, rounded once more. */
static void check_cross_entropy(const nn__vector_kernels *vector) {
    double worst = 0;
    draw_samples(EXP);
    for (size_t i = 0; i < N_SAMPLES; i++) targets[i] = i % 3 == 0;
    vector->cross_entropy(y, x, targets, N_SAMPLES);
    for (size_t i = 0; i < N_SAMPLES; i++) {
        long double z = (long double)x[i], log = log1pl(expl(-fabsl(z)));
        worst = fmax(worst, ulps(y[i], (z > 0) == (targets[i] == 1) ? log : fabsl(z) + log));
    }
    CHECK_NEAR(worst, 0, most_ulps() + 0.5);
    for (size_t n = 0; n <= LARGEST_N; n++) {
        nn_real part[LARGEST_N + 1] = {0};
        part[n] = 7;
        vector->cross_entropy(part, x + n, targets + n, n);
        CHECK(same_bits(part, y + n, n) && part[n] == 7);
    }
}

static void cross_entropy_is_as_exact_as_stated(void) {
    at_every_level(check_cross_entropy);
}

static void check_soft_targets(const nn__vector_kernels *vector) {
    draw_samples(EXP);
    for (size_t i = 0; i < N_SAMPLES / 2; i++) targets[i] = (nn_real)uniform();
    vector->cross_entropy(y, x, targets, N_SAMPLES / 2);
    for (size_t i = 0; i < N_SAMPLES / 2; i++) {
        long double z = (long double)x[i], log = log1pl(expl(-fabsl(z)));
        long double c = fmaxl(z, 0) - (long double)targets[i] * z + log;
        double tolerance = 4 * 0.5 * EPSILON * (double)(fabsl(z) + log); /* of four roundings */
        if (fabs((double)((long double)y[i] - c)) > tolerance)
            CHECK_NEAR((double)y[i], (double)c, tolerance);
    }
    const nn_real bad[][2] = {{(nn_real)NAN, 0},
                              {(nn_real)NAN, 1},
                              {(nn_real)INFINITY, 0},
                              {(nn_real)-INFINITY, 1},
                              {1, (nn_real)NAN}};
    for (size_t i = 0; i < COUNT(bad); i++) {
        vector->cross_entropy(y, &bad[i][0], &bad[i][1], 1);
        CHECK(!isfinite(y[0]));
    }
}

static void cross_entropy_of_soft_targets_is_right(void) {
    at_every_level(check_soft_targets);
}

int main(void) {
    static const check_case cases[] = {
        CASE(functions_are_as_exact_as_stated),       CASE(functions_are_right_at_the_edges),
        CASE(functions_are_right_for_every_length),   CASE(levels_give_the_same_bits),
        CASE(softmax_is_right_for_every_shape),       CASE(softmax_finds_the_largest_anywhere),
        CASE(softmax_hands_bad_numbers_on),           CASE(cross_entropy_is_as_exact_as_stated),
        CASE(cross_entropy_of_soft_targets_is_right),
    };
    return check_run(cases, COUNT(cases));
}
