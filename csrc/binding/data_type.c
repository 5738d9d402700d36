/* _core.Data: a view of the inputs, with labels or targets and weights of the samples. */
#include <math.h>

#include "binding/binding.h"

/* ---- making and freeing --------------------------------------------------------------------- */

/* Fills *input from x: 2-D, aligned, native, with contiguous columns. False with an exception. */
static bool describe(PyObject *x, nn_input *input) {
    PyArrayObject *array = (PyArrayObject *)x;
    const char *dtype = nnpy_dtype_name(x);
    if (dtype == NULL) {
        PyErr_SetString(PyExc_TypeError, "x must be an array of float32, float64 or uint8");
        return false;
    }
    bool fits = PyArray_NDIM(array) == 2 && PyArray_ISALIGNED(array) && PyArray_ISNOTSWAPPED(array);
    if (fits && PyArray_DIM(array, 0) > 0 && PyArray_DIM(array, 1) > 1)
        fits = PyArray_STRIDE(array, 1) == (npy_intp)PyArray_ITEMSIZE(array);
    if (!fits) {
        PyErr_SetString(PyExc_ValueError,
                        "x must be aligned, native and 2-D with contiguous columns");
        return false;
    }
    *input = (nn_input){.values = PyArray_DATA(array),
                        .dtype = nn_dtype_find(dtype),
                        .n_rows = (size_t)PyArray_DIM(array, 0),
                        .n_columns = (size_t)PyArray_DIM(array, 1),
                        .row_stride = PyArray_STRIDE(array, 0)};
    return true;
}

/* An array argument of n_rows rows, or NULL with an exception. */
static PyArrayObject *rows_of(PyObject *object, const char *name, int type, int ndim,
                              size_t n_rows) {
    PyArrayObject *array = nnpy_array(object, name, type, ndim);
    if (array != NULL && (size_t)PyArray_DIM(array, 0) != n_rows) {
        PyErr_Format(PyExc_ValueError, "%s must have %zu rows, as x, got %zd", name, n_rows,
                     (Py_ssize_t)PyArray_DIM(array, 0));
        return NULL;
    }
    return array;
}

/* Gives the data what is not None. *status is set where the core refuses. False on any failure. */
static bool fill(nn_data *data, PyObject *labels, Py_ssize_t n_classes, PyObject *targets,
                 PyObject *weights, nn_status *status) {
    size_t n = nn_data_n_rows(data);
    PyArrayObject *array;
    if (labels != Py_None) {
        if ((array = rows_of(labels, "labels", NPY_INT32, 1, n)) == NULL) return false;
        *status = nn_data_set_labels(data, PyArray_DATA(array), (size_t)n_classes);
    }
    if (*status == NN_OK && targets != Py_None) {
        if ((array = rows_of(targets, "targets", NN_NPY_REAL, 2, n)) == NULL) return false;
        *status = nn_data_set_targets(data, PyArray_DATA(array), (size_t)PyArray_DIM(array, 1));
    }
    if (*status == NN_OK && weights != Py_None) {
        if ((array = rows_of(weights, "sample_weight", NN_NPY_REAL, 1, n)) == NULL) return false;
        *status = nn_data_set_weights(data, PyArray_DATA(array));
    }
    return *status == NN_OK;
}

PyDoc_STRVAR(
    data_doc,
    "Data(x, *, labels=None, n_classes=0, targets=None, sample_weight=None, sparse=None,\n"
    "     written_out=False, most=None)\n--\n\n"
    "Samples for the core. x is read in place, the rest is copied. With a Sparse x may be None;\n"
    "beside x it must be made of it. written_out: layers see all numbers even so.\n"
    "most: evaluations look for NaN, infinity and numbers above it, and raise NumberError.\n\n"
    "x (n, n_inputs) float32, float64 or uint8 with contiguous columns; labels (n,) int32\n"
    "in 0 .. n_classes - 1; targets (n, n_outputs) and sample_weight (n,) of the core's\n"
    "precision.");

/* Makes the core's data of x, of the sparse form, or of both. False on any failure, as in fill. */
static bool make(data_object *self, PyObject *x, PyObject *sparse, nn_status *status) {
    const nn_sparse *form = sparse == Py_None ? NULL : ((sparse_object *)sparse)->sparse;
    nn_input input;
    if (x == Py_None && form != NULL) {
        *status = nn_data_create_sparse(&self->data, form);
    } else {
        if (!describe(x, &input)) return false;
        *status = nn_data_create(&self->data, &input);
        if (*status == NN_OK) *status = nn_data_set_sparse(self->data, form);
    }
    if (*status != NN_OK) return false;
    self->x = Py_NewRef(x);
    self->sparse = Py_NewRef(sparse);
    return true;
}

static PyObject *data_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"x",      "labels",      "n_classes", "targets", "sample_weight",
                            "sparse", "written_out", "most",      NULL};
    module_state *state = PyType_GetModuleState(type);
    PyObject *x, *labels = Py_None, *targets = Py_None, *weights = Py_None, *sparse = Py_None;
    PyObject *most = Py_None;
    Py_ssize_t n_classes = 0;
    int written_out = 0;
    nn_status status = NN_OK;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$OnOOOpO:Data", names, &x, &labels,
                                     &n_classes, &targets, &weights, &sparse, &written_out, &most))
        return NULL;
    const double limit = most == Py_None ? HUGE_VAL : PyFloat_AsDouble(most);
    if (limit == -1.0 && PyErr_Occurred()) return NULL;
    if (sparse != Py_None && Py_TYPE(sparse) != (PyTypeObject *)state->sparse_type)
        return PyErr_Format(PyExc_TypeError, "sparse must be a Sparse of this core, got %R",
                            (PyObject *)Py_TYPE(sparse));
    data_object *self = (data_object *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    if (make(self, x, sparse, &status) &&
        fill(self->data, labels, n_classes, targets, weights, &status)) {
        if (written_out) nn_data_write_out(self->data);
        if (most != Py_None) nn_data_guard(self->data, limit);
        return (PyObject *)self;
    }
    if (status != NN_OK) nnpy_raise(state, status, NULL);
    Py_DECREF(self);
    return NULL;
}

static void data_dealloc(PyObject *object) {
    data_object *self = (data_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    nn_data_free(self->data);
    Py_XDECREF(self->x);
    Py_XDECREF(self->sparse);
    type->tp_free(object);
    Py_DECREF(type);
}

/* ---- methods -------------------------------------------------------------------------------- */

PyDoc_STRVAR(
    scan_doc,
    "scan($self, with_checksum=True, /)\n--\n\n"
    "One pass over x: (place, largest, n_nonzero, checksum), place being the (row, column)\n"
    "of the first NaN or infinity, or None. The checksum is of the bytes, row by row; 0 where\n"
    "it is not wanted, and with a sparse form alone.");

static PyObject *data_scan(PyObject *object, PyObject *args) {
    data_object *self = (data_object *)object;
    nn_scan scan;
    poller poll;
    int with_checksum = 1;
    if (!PyArg_ParseTuple(args, "|p:scan", &with_checksum)) return NULL;
    if (!nnpy_poll_begin(&poll, object, NULL, NULL)) return NULL;
    nn_status status = nn_data_scan(self->data, with_checksum, nnpy_poll, &poll, &scan);
    nnpy_poll_end(&poll);
    if (status != NN_OK) return nnpy_raise(nnpy_state(object), status, &poll);
    PyObject *place = scan.finite
                          ? Py_NewRef(Py_None)
                          : Py_BuildValue("(nn)", (Py_ssize_t)scan.row, (Py_ssize_t)scan.column);
    return Py_BuildValue("(NdnK)", place, scan.largest, (Py_ssize_t)scan.n_nonzero,
                         (unsigned long long)scan.checksum);
}

PyDoc_STRVAR(augment_doc,
             "augment($self, augment, out, seed, round, n_threads, /)\n--\n\n"
             "out = the rows of x, changed at random as images; out: like x, C-contiguous.\n"
             "augment: as Trainer.bind takes it.");

static PyObject *data_augment(PyObject *object, PyObject *args) {
    data_object *self = (data_object *)object;
    PyObject *tuple, *out;
    unsigned long long seed, round;
    Py_ssize_t n_threads;
    nn_augment augment;
    poller poll;
    if (!PyArg_ParseTuple(args, "OOKKn:augment", &tuple, &out, &seed, &round, &n_threads) ||
        !nnpy_parse_augment(tuple, &augment))
        return NULL;
    if (!PyArray_Check(self->x)) {
        PyErr_SetString(PyExc_TypeError, "data must have an x that is not sparse alone");
        return NULL;
    }
    PyArrayObject *x = (PyArrayObject *)self->x;
    PyArrayObject *array = nnpy_output(out, "out", PyArray_TYPE(x), 2);
    if (array == NULL) return NULL;
    if (!PyArray_SAMESHAPE(x, array)) {
        PyErr_SetString(PyExc_ValueError, "out must have the shape of x");
        return NULL;
    }
    if (!nnpy_poll_begin(&poll, object, NULL, NULL)) return NULL;
    nn_status status = nn_augment_apply(&augment, self->data, (uint64_t)seed, (uint64_t)round,
                                        n_threads > 0 ? (size_t)n_threads : 1, PyArray_DATA(array),
                                        nnpy_poll, &poll);
    nnpy_poll_end(&poll);
    if (status != NN_OK) return nnpy_raise(nnpy_state(object), status, &poll);
    Py_RETURN_NONE;
}

static PyObject *data_n_rows(PyObject *object, void *closure) {
    (void)closure;
    return PyLong_FromSize_t(nn_data_n_rows(((data_object *)object)->data));
}

static PyObject *data_x(PyObject *object, void *closure) {
    (void)closure;
    return Py_NewRef(((data_object *)object)->x);
}

static PyObject *data_sparse(PyObject *object, void *closure) {
    (void)closure;
    return Py_NewRef(((data_object *)object)->sparse);
}

static PyMethodDef methods[] = {{"scan", data_scan, METH_VARARGS, scan_doc},
                                {"augment", data_augment, METH_VARARGS, augment_doc},
                                {0}};

static PyGetSetDef getset[] = {{"x", data_x, NULL, "The inputs, as given.", NULL},
                               {"sparse", data_sparse, NULL, "Their Sparse, or None.", NULL},
                               {"n_rows", data_n_rows, NULL, "The number of samples.", NULL},
                               {0}};

static PyType_Slot slots[] = {{Py_tp_doc, (void *)data_doc}, {Py_tp_new, data_new},
                              {Py_tp_dealloc, data_dealloc}, {Py_tp_methods, methods},
                              {Py_tp_getset, getset},        {0, NULL}};

PyType_Spec nnpy_data_spec = {.name = "nnlearn._core.Data",
                              .basicsize = sizeof(data_object),
                              .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                              .slots = slots};
