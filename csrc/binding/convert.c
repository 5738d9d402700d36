/* Arrays in and out, names to codes, status to exception. */
#include "binding/binding.h"

/* ---- exceptions ----------------------------------------------------------------------------- */

/* The exception for a status. Python checks first and says more; these are what remains. */
static PyObject *exception_for(const module_state *state, nn_status status) {
    switch (status) {
    case NN_ERROR_MEMORY:
        return PyExc_MemoryError;
    case NN_STOPPED:
        return state->stopped_error;
    case NN_ERROR_NUMBER:
        return state->number_error;
    case NN_DIVERGED:
        return PyExc_FloatingPointError;
    default:
        return PyExc_ValueError;
    }
}

PyObject *nnpy_raise(module_state *state, nn_status status, const poller *poll) {
    if (poll != NULL && poll->raised) return NULL;
    PyErr_SetString(exception_for(state, status), nn_status_text(status));
    return NULL;
}

/* ---- arrays --------------------------------------------------------------------------------- */

PyArrayObject *nnpy_array(PyObject *object, const char *name, int type, int ndim) {
    if (!PyArray_Check(object) || PyArray_TYPE((PyArrayObject *)object) != type) {
        PyArray_Descr *descr = PyArray_DescrFromType(type);
        PyErr_Format(PyExc_TypeError, "%s must be an array of dtype %S, got %R", name, descr,
                     (PyObject *)Py_TYPE(object));
        Py_XDECREF(descr);
        return NULL;
    }
    PyArrayObject *array = (PyArrayObject *)object;
    if (PyArray_NDIM(array) != ndim || !PyArray_ISCARRAY_RO(array)) {
        PyErr_Format(PyExc_ValueError, "%s must be a C-contiguous array of %d dimensions, got %d",
                     name, ndim, PyArray_NDIM(array));
        return NULL;
    }
    return array;
}

PyArrayObject *nnpy_output(PyObject *object, const char *name, int type, int ndim) {
    PyArrayObject *array = nnpy_array(object, name, type, ndim);
    if (array == NULL || PyArray_ISWRITEABLE(array)) return array;
    PyErr_Format(PyExc_ValueError, "%s must be writeable, got a read-only array", name);
    return NULL;
}

const char *nnpy_dtype_name(PyObject *object) {
    if (!PyArray_Check(object)) return NULL;
    switch (PyArray_TYPE((PyArrayObject *)object)) {
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

/* An array over memory of the core, kept alive by `base`. New reference. */
static PyObject *view_of(nn_real *values, int ndim, const npy_intp *shape, PyObject *base) {
    PyObject *view = PyArray_SimpleNewFromData(ndim, shape, NN_NPY_REAL, values);
    if (view == NULL) return NULL;
    Py_INCREF(base);
    if (PyArray_SetBaseObject((PyArrayObject *)view, base) < 0) { /* takes the reference */
        Py_DECREF(view);
        return NULL;
    }
    return view;
}

PyObject *nnpy_tensor_views(const nn_network *network, nn_real *start, PyObject *base) {
    size_t n = nn_network_n_tensors(network);
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list != NULL && i < n; i++) {
        nn_parameter tensor = nn_network_parameter(network, i);
        npy_intp shape[2] = {(npy_intp)tensor.shape[0], (npy_intp)tensor.shape[1]};
        PyObject *view = view_of(start + tensor.offset, (int)tensor.ndim, shape, base);
        if (view == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, view);
    }
    return list;
}

/* ---- names and settings --------------------------------------------------------------------- */

int nnpy_find(int (*find)(const char *), const char *what, const char *name) {
    int code = find(name);
    if (code < 0) PyErr_Format(PyExc_ValueError, "%s must be a known name, got '%s'", what, name);
    return code;
}

bool nnpy_parse_optimizer(PyObject *tuple, nn_optimizer *optimizer) {
    const char *name;
    int nesterov;
    if (!PyTuple_Check(tuple)) {
        PyErr_SetString(PyExc_TypeError, "optimizer must be a tuple");
        return false;
    }
    if (!PyArg_ParseTuple(tuple, "sddp", &name, &optimizer->learning_rate, &optimizer->momentum,
                          &nesterov))
        return false;
    int kind = nnpy_find(nn_optimizer_find, "optimizer", name);
    optimizer->kind = (nn_optimizer_kind)kind;
    optimizer->nesterov = nesterov;
    return kind >= 0;
}

/* Fills the parts from a tuple of (name, amount, sigma). False with an exception. */
static bool parse_parts(PyObject *parts, nn_augment *augment) {
    const Py_ssize_t n = PyTuple_GET_SIZE(parts);
    if (n > NN_AUGMENT_PARTS) {
        PyErr_Format(PyExc_ValueError, "augment must have at most %d parts, got %zd",
                     NN_AUGMENT_PARTS, n);
        return false;
    }
    augment->n_parts = (size_t)n;
    for (Py_ssize_t i = 0; i < n; i++) {
        nn_augment_part *part = &augment->parts[i];
        const char *name;
        PyObject *tuple = PyTuple_GET_ITEM(parts, i);
        if (!PyTuple_Check(tuple)) {
            PyErr_SetString(PyExc_TypeError, "a part of augment must be a tuple");
            return false;
        }
        if (!PyArg_ParseTuple(tuple, "sdd", &name, &part->amount, &part->sigma)) return false;
        int kind = nnpy_find(nn_augment_find, "a part of augment", name);
        if (kind < 0) return false;
        part->kind = (nn_augment_kind)kind;
    }
    return true;
}

bool nnpy_parse_augment(PyObject *tuple, nn_augment *augment) {
    Py_ssize_t channels, height, width;
    PyObject *parts;
    if (!PyTuple_Check(tuple)) {
        PyErr_SetString(PyExc_TypeError, "augment must be a tuple");
        return false;
    }
    if (!PyArg_ParseTuple(tuple, "(nnn)O!", &channels, &height, &width, &PyTuple_Type, &parts))
        return false;
    *augment = (nn_augment){.channels = channels > 0 ? (size_t)channels : 0,
                            .height = height > 0 ? (size_t)height : 0,
                            .width = width > 0 ? (size_t)width : 0};
    return parse_parts(parts, augment);
}
