/* _core.Sparse: the nonzeros of an x, shared by any number of Data. */
#include "binding/binding.h"

PyDoc_STRVAR(sparse_doc,
             "Sparse(data, n_nonzero)\n--\n\n"
             "The nonzeros of the x of a Data, as its scan has counted them; ValueError\n"
             "where x has changed since.");

static PyObject *sparse_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"data", "n_nonzero", NULL};
    module_state *state = PyType_GetModuleState(type);
    PyObject *data;
    Py_ssize_t n_nonzero;
    poller poll;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!n:Sparse", names, state->data_type, &data,
                                     &n_nonzero))
        return NULL;
    sparse_object *self = (sparse_object *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    if (!nnpy_poll_begin(&poll, data, NULL, NULL)) goto fail;
    nn_status status = nn_sparse_create(&self->sparse, ((data_object *)data)->data,
                                        (size_t)n_nonzero, nnpy_poll, &poll);
    nnpy_poll_end(&poll);
    if (status == NN_OK) return (PyObject *)self;
    nnpy_raise(state, status, &poll);
fail:
    Py_DECREF(self);
    return NULL;
}

static void sparse_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    nn_sparse_free(((sparse_object *)object)->sparse);
    type->tp_free(object);
    Py_DECREF(type);
}

/* ---- compressed sparse rows ------------------------------------------------------------------ */

/* A 1-D array of 4 or 8 byte integers; NULL with an exception. */
static PyArrayObject *indices_of(PyObject *object, const char *name, int type) {
    return nnpy_array(object, name, type, 1);
}

/* Fills *csr from the three arrays. False with an exception. */
static bool describe(nn_csr *csr, PyObject *row_start, PyObject *columns, PyObject *values) {
    const bool narrow =
        PyArray_Check(row_start) && PyArray_ITEMSIZE((PyArrayObject *)row_start) == 4;
    const int type = narrow ? NPY_INT32 : NPY_INT64;
    PyArrayObject *starts = indices_of(row_start, "row_start", type);
    PyArrayObject *indices = starts == NULL ? NULL : indices_of(columns, "columns", type);
    if (indices == NULL) return false;
    const char *dtype = nnpy_dtype_name(values);
    if (dtype == NULL) {
        PyErr_SetString(PyExc_TypeError, "values must be an array of float32, float64 or uint8");
        return false;
    }
    PyArrayObject *numbers = nnpy_array(values, "values", PyArray_TYPE((PyArrayObject *)values), 1);
    if (numbers == NULL) return false;
    if (PyArray_SIZE(starts) != (npy_intp)csr->n_rows + 1 ||
        PyArray_SIZE(indices) != PyArray_SIZE(numbers)) {
        PyErr_SetString(PyExc_ValueError, "row_start must have n_rows + 1 items, columns as many "
                                          "as values");
        return false;
    }
    csr->n_values = (size_t)PyArray_SIZE(numbers);
    csr->row_start = PyArray_DATA(starts);
    csr->columns = PyArray_DATA(indices);
    csr->values = PyArray_DATA(numbers);
    csr->index_size = narrow ? 4 : 8;
    csr->dtype = nn_dtype_find(dtype);
    return true;
}

PyDoc_STRVAR(from_csr_doc,
             "from_csr($type, shape, row_start, columns, values, /)\n--\n\n"
             "A copy of compressed sparse rows without duplicates, their columns ascending. The\n"
             "(row, column) of the first NaN or infinity instead, where there is one.\n\n"
             "row_start (n_rows + 1,) and columns both int32 or both int64, values float32,\n"
             "float64 or uint8.");

static PyObject *sparse_from_csr(PyObject *type, PyObject *args) {
    module_state *state = PyType_GetModuleState((PyTypeObject *)type);
    PyObject *row_start, *columns, *values, *answer = NULL;
    Py_ssize_t n_rows, n_columns;
    size_t row = 0, column = 0;
    poller poll;
    if (!PyArg_ParseTuple(args, "(nn)OOO:from_csr", &n_rows, &n_columns, &row_start, &columns,
                          &values))
        return NULL;
    nn_csr csr = {.n_rows = (size_t)n_rows, .n_columns = (size_t)n_columns};
    if (n_rows < 0 || n_columns < 0) return nnpy_raise(state, NN_ERROR_SIZE, NULL);
    if (!describe(&csr, row_start, columns, values)) return NULL;
    sparse_object *self =
        (sparse_object *)((PyTypeObject *)type)->tp_alloc((PyTypeObject *)type, 0);
    if (self == NULL) return NULL;
    if (!nnpy_poll_begin(&poll, (PyObject *)self, NULL, NULL)) goto fail;
    nn_status status = nn_sparse_create_csr(&self->sparse, &csr, &row, &column, nnpy_poll, &poll);
    nnpy_poll_end(&poll);
    if (status == NN_OK) return (PyObject *)self;
    if (status == NN_ERROR_NUMBER)
        answer = Py_BuildValue("(nn)", (Py_ssize_t)row, (Py_ssize_t)column);
    else
        nnpy_raise(state, status, &poll);
fail:
    Py_DECREF(self);
    return answer;
}

/* ---- what it is ------------------------------------------------------------------------------ */

static const nn_sparse *sparse_of(PyObject *self) {
    return ((sparse_object *)self)->sparse;
}

static PyObject *sparse_shape(PyObject *self, void *closure) {
    (void)closure;
    return Py_BuildValue("(nn)", (Py_ssize_t)nn_sparse_n_rows(sparse_of(self)),
                         (Py_ssize_t)nn_sparse_n_columns(sparse_of(self)));
}

static PyObject *sparse_n_nonzero(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromSize_t(nn_sparse_n_nonzero(sparse_of(self)));
}

static PyObject *sparse_nbytes(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromSize_t(nn_sparse_bytes(sparse_of(self)));
}

static PyMethodDef methods[] = {
    {"from_csr", sparse_from_csr, METH_VARARGS | METH_CLASS, from_csr_doc}, {0}};

static PyGetSetDef getset[] = {
    {"shape", sparse_shape, NULL, "(rows, columns) of x.", NULL},
    {"n_nonzero", sparse_n_nonzero, NULL, "How many numbers are not 0.", NULL},
    {"nbytes", sparse_nbytes, NULL, "The memory that it takes.", NULL},
    {0}};

static PyType_Slot slots[] = {{Py_tp_doc, (void *)sparse_doc}, {Py_tp_new, sparse_new},
                              {Py_tp_dealloc, sparse_dealloc}, {Py_tp_methods, methods},
                              {Py_tp_getset, getset},          {0, NULL}};

PyType_Spec nnpy_sparse_spec = {.name = "nnlearn._core.Sparse",
                                .basicsize = sizeof(sparse_object),
                                .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                                .slots = slots};
