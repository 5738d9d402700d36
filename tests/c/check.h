/* The frame of the C tests. A case is a function without arguments that holds checks; a program
 * lists its cases and runs them:
 *
 *     static const check_case cases[] = {CASE(sums_are_right), CASE(products_are_right)};
 *     return check_run(cases, sizeof cases / sizeof *cases);
 *
 * A failed check says where and goes on; the exit code is 1 when any failed. */
#ifndef NN_TESTS_CHECK_H
#define NN_TESTS_CHECK_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/status.h"

typedef struct check_case {
    const char *name;
    void (*run)(void);
} check_case;

static size_t check_failures;

#define CASE(function) {#function, function}
#define CHECK(condition) check_that(condition, __FILE__, __LINE__, #condition)
#define CHECK_NEAR(a, b, tolerance) check_near(a, b, tolerance, __FILE__, __LINE__, #a " ~ " #b)
#define CHECK_STATUS(call, status) check_status(call, status, __FILE__, __LINE__, #call)

static inline void check_that(bool holds, const char *file, int line, const char *text) {
    if (!holds) printf("    %s:%d: %s\n", file, line, text);
    check_failures += !holds;
}

/* |a - b| <= tolerance; never so for NaN. */
static inline void check_near(double a, double b, double tolerance, const char *file, int line,
                              const char *text) {
    bool near = fabs(a - b) <= tolerance;
    check_that(near, file, line, text);
    if (!near) printf("        %.17g, %.17g, tolerance %g\n", a, b, tolerance);
}

static inline void check_status(nn_status got, nn_status wanted, const char *file, int line,
                                const char *text) {
    check_that(got == wanted, file, line, text);
    if (got != wanted) printf("        %s; not: %s\n", nn_status_text(got), nn_status_text(wanted));
}

static inline int check_run(const check_case *cases, size_t n) {
    for (size_t i = 0, before = 0; i < n; i++, before = check_failures) {
        cases[i].run();
        printf("%s %s\n", check_failures == before ? "ok    " : "FAILED", cases[i].name);
    }
    return check_failures != 0;
}

#endif
