/* The words of the public interface that the lower levels need as well: kinds of numbers, layers,
 * activations, cost functions, initialisations, optimisers. nnlearn.h includes this file; a C user
 * reads it as the second half of that manual.
 *
 * Each list is an X-macro of (ENUMERATOR, "name"), so that codes and names cannot part. The names
 * are those of the Python interface; nn_<list>_name and nn_<list>_find translate. */
#ifndef NN_BASE_TYPES_H
#define NN_BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/real.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- What the inputs are made of ------------------------------------------------------------ */

#define NN_DTYPE_TABLE(X)                                                                          \
    X(NN_DTYPE_FLOAT32, "float32")                                                                 \
    X(NN_DTYPE_FLOAT64, "float64")                                                                 \
    X(NN_DTYPE_UINT8, "uint8") /* i stands for i/255 */

/* A view of the caller's inputs x, never copied: row r, column c is the number at
 * (const char *)values + r * row_stride + c * (size of a number). */
typedef struct nn_input {
    const void *values; /* aligned for its numbers */
    int dtype;          /* an nn_dtype: NN_DTYPE_FLOAT32, ... */
    size_t n_rows, n_columns;
    ptrdiff_t row_stride; /* bytes from one row to the next; any sign, a multiple of the size */
} nn_input;

/* The same as compressed sparse rows: the numbers of row r and their columns stand at row_start[r]
 * .. row_start[r + 1] - 1. Columns ascend within a row, without duplicates. */
typedef struct nn_csr {
    size_t n_rows, n_columns, n_values;
    const void *row_start; /* (n_rows + 1,) of `index_size` bytes, signed; at most n_values */
    const void *columns;   /* (n_values,) the same */
    const void *values;    /* (n_values,) of `dtype` */
    size_t index_size;     /* 4 or 8 */
    int dtype;             /* an nn_dtype */
} nn_csr;

/* ---- Layers --------------------------------------------------------------------------------- */

#define NN_LAYER_TABLE(X)                                                                          \
    X(NN_LAYER_DENSE, "dense")           /* z = x W + b, then its activation */                    \
    X(NN_LAYER_ACTIVATION, "activation") /* a = f(x) */                                            \
    X(NN_LAYER_DROPOUT, "dropout")       /* in training, drops each unit with probability p */

/* softmax is for the last layer alone. */
#define NN_ACTIVATION_TABLE(X)                                                                     \
    X(NN_ACTIVATION_LINEAR, "linear")                                                              \
    X(NN_ACTIVATION_SIGMOID, "sigmoid")                                                            \
    X(NN_ACTIVATION_TANH, "tanh")                                                                  \
    X(NN_ACTIVATION_RELU, "relu")                                                                  \
    X(NN_ACTIVATION_SOFTMAX, "softmax")

/* The distribution of the start weights W and biases b. */
#define NN_INIT_TABLE(X)                                                                           \
    X(NN_INIT_SCALED, "scaled") /* W ~ N(0, 1 / n_in), b ~ N(0, 1) */                              \
    X(NN_INIT_LARGE, "large")   /* W, b ~ N(0, 1) */                                               \
    X(NN_INIT_XAVIER, "xavier") /* W ~ N(0, 2 / (n_in + n_out)), b = 0 */                          \
    X(NN_INIT_HE, "he")         /* W ~ N(0, 2 / n_in), b = 0 */                                    \
    X(NN_INIT_ZEROS, "zeros")   /* W = b = 0 */                                                    \
    X(NN_INIT_NORMAL, "normal") /* W ~ N(0, init_sd^2), b = 0 */

/* ---- Cost functions ------------------------------------------------------------------------- */

#define NN_COST_TABLE(X)                                                                           \
    X(NN_COST_QUADRATIC, "quadratic")                                                              \
    X(NN_COST_CROSS_ENTROPY, "cross_entropy")                                                      \
    X(NN_COST_LOG_LIKELIHOOD, "log_likelihood")                                                    \
    X(NN_COST_HINGE, "hinge")

/* ---- Optimisers ----------------------------------------------------------------------------- */

#define NN_OPTIMIZER_TABLE(X) X(NN_OPTIMIZER_SGD, "sgd")

/* The most states, each as large as the parameters, that any of them keeps: SGD's velocity. */
enum { NN_OPTIMIZER_SLOTS = 1 };

/* ---- Augmentation --------------------------------------------------------------------------- */

/* How images are changed at random: each part draws u, uniform in [-1, 1], anew for every image.
 * Lengths are in pixels, places relative to the image's centre. */
#define NN_AUGMENT_TABLE(X)                                                                        \
    X(NN_AUGMENT_SHIFT, "shift")   /* by amount u along each axis, u drawn for each */             \
    X(NN_AUGMENT_ROTATE, "rotate") /* by amount u degrees */                                       \
    X(NN_AUGMENT_SKEW, "skew")     /* rows move sideways by amount u times their height */         \
    X(NN_AUGMENT_SCALE, "scale")   /* to 1 + amount u times the size */                            \
    X(NN_AUGMENT_ELASTIC,                                                                          \
      "elastic") /* every pixel moves along each axis by amount times a u of   \
                                        its own, smoothed by a Gaussian of `sigma` */

/* The most parts of one augmentation. */
enum { NN_AUGMENT_PARTS = 16 };

#define NN_ENUMERATOR(name, text) name,
typedef enum nn_dtype { NN_DTYPE_TABLE(NN_ENUMERATOR) } nn_dtype;
typedef enum nn_layer_kind { NN_LAYER_TABLE(NN_ENUMERATOR) } nn_layer_kind;
typedef enum nn_activation { NN_ACTIVATION_TABLE(NN_ENUMERATOR) } nn_activation;
typedef enum nn_init { NN_INIT_TABLE(NN_ENUMERATOR) } nn_init;
typedef enum nn_cost { NN_COST_TABLE(NN_ENUMERATOR) } nn_cost;
typedef enum nn_optimizer_kind { NN_OPTIMIZER_TABLE(NN_ENUMERATOR) } nn_optimizer_kind;
typedef enum nn_augment_kind { NN_AUGMENT_TABLE(NN_ENUMERATOR) } nn_augment_kind;
#undef NN_ENUMERATOR

/* The name of a code, NULL beyond the list; the code of a name, -1 for a foreign one. */
const char *nn_dtype_name(int code);
int nn_dtype_find(const char *name);
const char *nn_layer_name(int code);
int nn_layer_find(const char *name);
const char *nn_activation_name(int code);
int nn_activation_find(const char *name);
const char *nn_init_name(int code);
int nn_init_find(const char *name);
const char *nn_cost_name(int code);
int nn_cost_find(const char *name);
const char *nn_optimizer_name(int code);
int nn_optimizer_find(const char *name);
const char *nn_augment_name(int code);
int nn_augment_find(const char *name);

/* One layer as the caller describes it. What a kind does not use is ignored. */
typedef struct nn_layer {
    nn_layer_kind kind;
    size_t units;             /* dense: outputs, >= 1 */
    nn_activation activation; /* dense, activation */
    nn_init init;             /* dense */
    double init_sd;           /* dense with NN_INIT_NORMAL: >= 0 and finite */
    double p;                 /* dropout: probability of dropping a unit, 0 <= p < 1 */
} nn_layer;

/* How parameters follow their gradient; g includes the penalties.
 *     sgd       v <- mu v - eta g;   W <- W + v
 *     nesterov  v <- mu v - eta g;   W <- W + mu v - eta g */
typedef struct nn_optimizer {
    nn_optimizer_kind kind;
    double learning_rate; /* eta > 0, finite */
    double momentum;      /* mu, 0 <= mu < 1; with 0 no velocity is kept, an older one is cleared */
    bool nesterov;
} nn_optimizer;

/* Penalties of the cost: (l1/n) sum |W| + (l2/2n) sum W^2. */
typedef struct nn_penalty {
    double l1, l2; /* >= 0, finite */
    double n;      /* what they are divided by: the number of training samples */
    bool biases;   /* penalise the biases too */
} nn_penalty;

/* One random change of an image. */
typedef struct nn_augment_part {
    nn_augment_kind kind;
    double amount; /* >= 0, finite, 0 for none; scale: < 1 */
    double sigma;  /* elastic: in pixels, > 0, up to the shorter side of the image */
} nn_augment_part;

/* Changes of images, which are rows of x: channel after channel, each row by row. All parts make
 * one map from a pixel's place p to the place in the image given that its value is taken from,
 *     p -> f_1(f_2(... f_n(p))),
 * f_1 the map of the first part, which so comes first; the fields of elastic parts belong to the
 * pixels of the result. There the image is interpolated bilinearly, once, with 0 outside it. */
typedef struct nn_augment {
    size_t channels, height, width; /* >= 1 */
    size_t n_parts;                 /* up to NN_AUGMENT_PARTS */
    nn_augment_part parts[NN_AUGMENT_PARTS];
} nn_augment;

/* Why a dense layer's products run in one kind of loops or the other. */
typedef enum nn_loops {
    NN_LOOPS_FEW_ROWS, /* our own: batches of `few_rows` rows or less */
    NN_LOOPS_NARROW,   /* our own: `narrow` outputs or less, weights that stay in the cache */
    NN_LOOPS_BLIS      /* neither */
} nn_loops;

/* How training works on a dense layer. */
typedef struct nn_path {
    size_t n_in, n_out;
    bool sparse;    /* it reads the nonzeros of x alone, in our own loops */
    size_t tile;    /* sparse: columns of a tile of its weights, 0 for all in one */
    bool by_rows;   /* sparse, plain SGD: updated row after row of the batch, else by columns */
    nn_loops loops; /* y = x W and the update with x^T dy; means nothing where sparse */
    bool has_input_gradient; /* dx = dy W^T is wanted: it is not the first */
    bool transposes;         /* dx in our own loops, over W^T written out, else by BLIS */
    size_t few_rows, narrow; /* the bounds of these rules */
} nn_path;

/* Where a call is, for the caller's poll function. */
typedef struct nn_progress {
    size_t done, total; /* steps of an epoch, or rows of an evaluation */
} nn_progress;

/* Asked between steps, and between the parts of a long one; anything but 0 stops the call, which
 * then returns NN_STOPPED. It may not use the network that is at work. */
typedef int nn_poll(void *context, const nn_progress *progress);

#ifdef __cplusplus
}
#endif

#endif
