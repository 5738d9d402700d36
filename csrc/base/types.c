#include "base/types.h"

#include <string.h>

/* The text of code `code` in a list of n names, NULL outside it. */
static const char *name_at(const char *const *names, size_t n, int code) {
    return code >= 0 && (size_t)code < n ? names[code] : NULL;
}

/* The index of `name` in the list, -1 when it is not there. */
static int find_in(const char *const *names, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0) return (int)i;
    return -1;
}

/* Defines nn_<list>_name and nn_<list>_find over the names of one X-macro. */
#define NN_NAME(enumerator, text) text,
#define NN_DEFINE_NAMES(list, TABLE)                                                               \
    static const char *const list##_names[] = {TABLE(NN_NAME)};                                    \
    const char *nn_##list##_name(int code) {                                                       \
        return name_at(list##_names, sizeof list##_names / sizeof *list##_names, code);            \
    }                                                                                              \
    int nn_##list##_find(const char *name) {                                                       \
        return find_in(list##_names, sizeof list##_names / sizeof *list##_names, name);            \
    }

NN_DEFINE_NAMES(dtype, NN_DTYPE_TABLE)
NN_DEFINE_NAMES(layer, NN_LAYER_TABLE)
NN_DEFINE_NAMES(activation, NN_ACTIVATION_TABLE)
NN_DEFINE_NAMES(init, NN_INIT_TABLE)
NN_DEFINE_NAMES(cost, NN_COST_TABLE)
NN_DEFINE_NAMES(optimizer, NN_OPTIMIZER_TABLE)
NN_DEFINE_NAMES(augment, NN_AUGMENT_TABLE)
