/* Status codes: what every call that can fail returns, and one text for each. */
#ifndef NN_BASE_STATUS_H
#define NN_BASE_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/* X(NAME, text). The order is the numbering; NN_OK is 0. */
#define NN_STATUS_TABLE(X)                                                                         \
    X(NN_OK, "no error")                                                                           \
    X(NN_ERROR_MEMORY, "out of memory")                                                            \
    X(NN_ERROR_SIZE, "a size is zero or too large")                                                \
    X(NN_ERROR_ARGUMENT, "an argument is outside its range")                                       \
    X(NN_ERROR_LAYERS, "the list of layers is not a network")                                      \
    X(NN_ERROR_PAIR, "the cost function does not go with the output activation")                   \
    X(NN_ERROR_SHAPE, "the shape of the data does not fit the network")                            \
    X(NN_ERROR_LABEL, "a label is outside 0 .. n_classes - 1")                                     \
    X(NN_ERROR_NUMBER, "a number is NaN, infinite or too large")                                   \
    X(NN_ERROR_TARGETS, "the data has no labels or targets of the kind needed")                    \
    X(NN_ERROR_KERNELS, "NNLEARN_KERNELS must be portable, v3 or v4, and one this CPU has")        \
    X(NN_STOPPED, "stopped by the caller's poll function")                                         \
    X(NN_DIVERGED, "the loss or a parameter is no longer finite")

#define NN_STATUS_ENUMERATOR(name, text) name,
typedef enum nn_status { NN_STATUS_TABLE(NN_STATUS_ENUMERATOR) } nn_status;
#undef NN_STATUS_ENUMERATOR

/* The text of a code, without a full stop. Never NULL; any thread. */
const char *nn_status_text(nn_status status);

/* Leave the function with the status of `call` unless it is NN_OK: the one macro that hides a
 * return. For functions that own nothing yet, or whose caller frees everything. */
#define NN_TRY(call)                                                                               \
    do {                                                                                           \
        nn_status nn__tried = (call);                                                              \
        if (nn__tried != NN_OK) return nn__tried;                                                  \
    } while (0)

#ifdef __cplusplus
}
#endif

#endif
