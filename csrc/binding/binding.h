/* The binding: what its files share. The only files that see Python.h.
 *
 * Every method goes the same way: parse, check, enter the network, release the GIL, core, take the
 * GIL, leave the network, status to exception. It takes exact arrays and neither copies nor casts:
 * nnlearn/_arrays.py does that. */
#ifndef NN_BINDING_H
#define NN_BINDING_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define PY_ARRAY_UNIQUE_SYMBOL nnlearn_array_api
#ifndef NN_BINDING_IMPORTS_ARRAY
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>

#include <stdatomic.h>
#include <stdbool.h>

#include "public/nnlearn.h"

/* NumPy's number for this build's nn_real. */
#ifdef NN_DOUBLE
#define NN_NPY_REAL NPY_FLOAT64
#else
#define NN_NPY_REAL NPY_FLOAT32
#endif

/* The module's state: X(member). Struct, traverse and clear are made from this list. */
#define NN_MODULE_STATE(X)                                                                         \
    X(network_type)                                                                                \
    X(data_type)                                                                                   \
    X(sparse_type)                                                                                 \
    X(trainer_type)                                                                                \
    X(stopped_error) /* a call was ended by stop() */                                              \
    X(number_error)  /* guarded data hold NaN and the like */                                      \
    X(main_thread)   /* threading.main_thread */

#define NN_STATE_MEMBER(member) PyObject *member;
typedef struct module_state {
    NN_MODULE_STATE(NN_STATE_MEMBER)
} module_state;
#undef NN_STATE_MEMBER

/* Specifications of the four types. */
extern PyType_Spec nnpy_network_spec; /* network_type.c */
extern PyType_Spec nnpy_data_spec;    /* data_type.c */
extern PyType_Spec nnpy_sparse_spec;  /* sparse_type.c */
extern PyType_Spec nnpy_trainer_spec; /* trainer_type.c */

/* The state of the module that made this object's type. Borrowed; NULL with an exception. */
module_state *nnpy_state(PyObject *self);

/* ---- objects -------------------------------------------------------------------------------- */

typedef struct network_object {
    PyObject_HEAD nn_network *network;
    PyThread_type_lock lock; /* held while the core works on the network */
    size_t waiting,
        served;           /* threads that wait for the lock, and that have got it. Under the GIL */
    unsigned long worker; /* the thread that holds the lock, 0: none. Under the GIL */
    unsigned long owner;  /* the thread whose fit has claimed the network, 0: none. Under the GIL */
    long process;         /* that did either last */
    atomic_int stop;      /* the claiming fit shall end */
} network_object;

typedef struct data_object {
    PyObject_HEAD nn_data *data;
    PyObject *x,
        *sparse; /* keep the inputs and their sparse form alive; NULL where there is none */
} data_object;

typedef struct sparse_object {
    PyObject_HEAD nn_sparse *sparse;
} sparse_object;

/* ---- guard.c: who may work on a network, and how long ---------------------------------------- */

/* Waits until no other thread works on the network, then works on it: true, to be ended by
 * nnpy_leave. False with an exception: called from within a call on the same network
 * (RuntimeError), in a child forked while it was in use (RuntimeError), or interrupted. */
bool nnpy_enter(network_object *self);
void nnpy_leave(network_object *self);

/* The calling thread is that of the fit, between its epochs: what only a fit touches may be touched
 * without entering, which could take long, or be interrupted, where another thread reads. */
bool nnpy_is_owner(const network_object *self);

/* A fit's claim, from beginning to end: true, or false with RuntimeError. */
bool nnpy_claim(network_object *self);
void nnpy_unclaim(network_object *self);

/* What the core's poll function needs. Between nnpy_poll_begin and nnpy_poll_end the GIL is free;
 * the main thread takes it now and then to look for signals and to show progress. */
typedef struct poller {
    network_object *network; /* whose stop flag counts; NULL: none */
    PyObject *progress;      /* called with (done, total), or NULL */
    bool is_main;
    bool raised; /* a signal's handler or progress has raised: the exception is set */
    double next_look, next_show;
    double last;      /* when it last looked at the clock */
    int skip, period; /* questions to be let go by until it looks again; as many as last time */
    PyThreadState *thread;
} poller;

/* Prepares and releases the GIL. network: whose stop flag ends the call, where the calling thread
 * is that of its fit; NULL: none's. progress: a callable, None or NULL. False with an exception,
 * and the GIL held. */
bool nnpy_poll_begin(poller *self, PyObject *object, network_object *network, PyObject *progress);
void nnpy_poll_end(poller *self);
nn_poll nnpy_poll;

/* ---- evaluation.c: Network's methods that look at data, and their docstrings ---------------- */

/* Methods of _core.Network: a new reference, or NULL with an exception. */
PyObject *nnpy_network_forward(PyObject *self, PyObject *args);
PyObject *nnpy_network_predict(PyObject *self, PyObject *args);
PyObject *nnpy_network_evaluate(PyObject *self, PyObject *args);
PyObject *nnpy_network_assess(PyObject *self, PyObject *args);
PyObject *nnpy_network_gradient(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *nnpy_network_inspect(PyObject *self, PyObject *args);
PyObject *nnpy_network_paths(PyObject *self, PyObject *args);
extern const char nnpy_forward_doc[], nnpy_predict_doc[], nnpy_evaluate_doc[];
extern const char nnpy_assess_doc[];
extern const char nnpy_gradient_doc[], nnpy_inspect_doc[], nnpy_paths_doc[];

/* ---- trainer_type.c -------------------------------------------------------------------------- */

/* (optimizer's name, [slot, ...]) of a Trainer, as its get_state gives it, with the network entered
 * already. New reference, NULL with an exception. */
PyObject *nnpy_trainer_state(PyObject *trainer);

/* The object is a Trainer of this core, or None. False with TypeError. */
bool nnpy_is_trainer(const module_state *state, PyObject *object);

/* Forgets the state of a Trainer's optimiser, with the network entered already. */
void nnpy_trainer_clear(PyObject *trainer);

/* ---- convert.c ------------------------------------------------------------------------------- */

/* Raises the exception that belongs to a status other than NN_OK, unless the poller has raised one
 * already (it may be NULL). Returns NULL. */
PyObject *nnpy_raise(module_state *state, nn_status status, const poller *poll);

/* `object` as an array of this type number and number of dimensions, C-contiguous, aligned and in
 * native byte order; nnpy_output asks that it be writeable too. Borrowed; NULL with TypeError or
 * ValueError, which call it `name`. */
PyArrayObject *nnpy_array(PyObject *object, const char *name, int type, int ndim);
PyArrayObject *nnpy_output(PyObject *object, const char *name, int type, int ndim);

/* The core's name for the dtype of an array that x may have; NULL, without an exception, for
 * others and for what is no array. */
const char *nnpy_dtype_name(PyObject *object);

/* A list of views, one a tensor of the network, over numbers laid out as its parameters: these
 * themselves, a gradient, an optimiser's slot. `base` keeps them alive. New reference. */
PyObject *nnpy_tensor_views(const nn_network *network, nn_real *start, PyObject *base);

/* The code of a name, by one of the nn_..._find functions; -1 with ValueError. */
int nnpy_find(int (*find)(const char *), const char *what, const char *name);

/* Fills *optimizer from (name, learning_rate, momentum, nesterov). False with an exception. */
bool nnpy_parse_optimizer(PyObject *tuple, nn_optimizer *optimizer);

/* Fills *augment from ((channels, height, width), ((name, amount, sigma), ...)). False with an
 * exception. */
bool nnpy_parse_augment(PyObject *tuple, nn_augment *augment);

#endif
