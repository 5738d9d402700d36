/* _core.Data: a view of the inputs, with labels or targets and weights of the samples. */
#include "binding/binding.h"

/* ---- making and freeing --------------------------------------------------------------------- */

/* The core's name for a NumPy type number that x may have, or NULL. */
static const char *dtype_name(int type) {
    switch (type) {
    case NPY_FLOAT32:
        return "float32";
    case NPY_FLOAT64:
        return "float64";
    case NPY_UINT8:
        return "uint8";
    default:
        return NULL;
    }
}

/* Fills *input from x: 2-D, aligned, native, with contiguous columns. False with an exception. */
static bool describe(PyObject *x, nn_input *input) {
    PyArrayObject *array = (PyArrayObject *)x;
    const char *dtype = PyArray_Check(x) ? dtype_name(PyArray_TYPE(array)) : NULL;
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
    "Data(x, *, labels=None, n_classes=0, targets=None, sample_weight=None)\n--\n\n"
    "Samples for the core. x is read in place, the rest is copied.\n\n"
    "x (n, n_inputs) float32, float64 or uint8 with contiguous columns; labels (n,) int32\n"
    "in 0 .. n_classes - 1; targets (n, n_outputs) and sample_weight (n,) of the core's\n"
    "precision.");

static PyObject *data_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"x", "labels", "n_classes", "targets", "sample_weight", NULL};
    PyObject *x, *labels = Py_None, *targets = Py_None, *weights = Py_None;
    Py_ssize_t n_classes = 0;
    nn_input input;
    nn_status status = NN_OK;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$OnOO:Data", names, &x, &labels, &n_classes,
                                     &targets, &weights))
        return NULL;
    if (!describe(x, &input)) return NULL;
    data_object *self = (data_object *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    status = nn_data_create(&self->data, &input);
    if (status == NN_OK && fill(self->data, labels, n_classes, targets, weights, &status)) {
        Py_INCREF(x);
        self->x = x;
        return (PyObject *)self;
    }
    if (status != NN_OK) nnpy_raise(PyType_GetModuleState(type), status, NULL);
    Py_DECREF(self);
    return NULL;
}

static void data_dealloc(PyObject *object) {
    data_object *self = (data_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    nn_data_free(self->data);
    Py_XDECREF(self->x);
    type->tp_free(object);
    Py_DECREF(type);
}

/* ---- methods -------------------------------------------------------------------------------- */

PyDoc_STRVAR(scan_doc, "scan($self, /)\n--\n\n"
                       "One pass over x: (place, largest), place being the (row, column) of the\n"
                       "first NaN or infinity, or None.");

static PyObject *data_scan(PyObject *object, PyObject *Py_UNUSED(ignored)) {
    data_object *self = (data_object *)object;
    nn_scan scan;
    poller poll;
    if (!nnpy_poll_begin(&poll, object, NULL, NULL)) return NULL;
    nn_status status = nn_data_scan(self->data, nnpy_poll, &poll, &scan);
    nnpy_poll_end(&poll);
    if (status != NN_OK) return nnpy_raise(nnpy_state(object), status, &poll);
    if (scan.finite) return Py_BuildValue("(Od)", Py_None, scan.largest);
    return Py_BuildValue("((nn)d)", (Py_ssize_t)scan.row, (Py_ssize_t)scan.column, scan.largest);
}

static PyObject *data_n_rows(PyObject *object, void *closure) {
    (void)closure;
    return PyLong_FromSize_t(nn_data_n_rows(((data_object *)object)->data));
}

static PyObject *data_x(PyObject *object, void *closure) {
    (void)closure;
    return Py_NewRef(((data_object *)object)->x);
}

static PyMethodDef methods[] = {{"scan", data_scan, METH_NOARGS, scan_doc}, {0}};

static PyGetSetDef getset[] = {{"x", data_x, NULL, "The inputs, as given.", NULL},
                               {"n_rows", data_n_rows, NULL, "The number of samples.", NULL},
                               {0}};

static PyType_Slot slots[] = {{Py_tp_doc, (void *)data_doc}, {Py_tp_new, data_new},
                              {Py_tp_dealloc, data_dealloc}, {Py_tp_methods, methods},
                              {Py_tp_getset, getset},        {0, NULL}};

PyType_Spec nnpy_data_spec = {.name = "nnlearn._core.Data",
                              .basicsize = sizeof(data_object),
                              .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                              .slots = slots};
