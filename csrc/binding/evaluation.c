/* _core.Network: the methods that look at data without changing the network. */
#include "binding/binding.h"

/* Parses the data argument of a method; false with TypeError. */
static bool is_data(PyObject *self, PyObject *data) {
    module_state *state = nnpy_state(self);
    if (state == NULL) return false;
    if (PyObject_TypeCheck(data, (PyTypeObject *)state->data_type)) return true;
    PyErr_SetString(PyExc_TypeError, "data must be a Data of the same core");
    return false;
}

/* Enters the network and releases the GIL; false with an exception. heeds_stop: the call belongs to
 * a fit, and stop() ends it. */
static bool begin(network_object *self, poller *poll, bool heeds_stop) {
    if (!nnpy_enter(self)) return false;
    if (nnpy_poll_begin(poll, (PyObject *)self, heeds_stop ? self : NULL, NULL)) return true;
    nnpy_leave(self);
    return false;
}

static void end(network_object *self, poller *poll) {
    nnpy_poll_end(poll);
    nnpy_leave(self);
}

const char nnpy_forward_doc[] = PyDoc_STR("forward($self, data, out, /)\n--\n\n"
                                          "Writes the outputs into out (n, n_outputs).");

PyObject *nnpy_network_forward(PyObject *object, PyObject *args) {
    network_object *self = (network_object *)object;
    PyObject *data, *out;
    if (!PyArg_ParseTuple(args, "OO:forward", &data, &out) || !is_data(object, data)) return NULL;
    PyArrayObject *array = nnpy_output(out, "out", NN_NPY_REAL, 2);
    if (array == NULL) return NULL;
    const nn_data *samples = ((data_object *)data)->data;
    if ((size_t)PyArray_DIM(array, 0) != nn_data_n_rows(samples) ||
        (size_t)PyArray_DIM(array, 1) != nn_network_n_outputs(self->network))
        return nnpy_raise(nnpy_state(object), NN_ERROR_SHAPE, NULL);
    poller poll;
    if (!begin(self, &poll, false)) return NULL;
    nn_status status = nn_forward(self->network, samples, PyArray_DATA(array), nnpy_poll, &poll);
    end(self, &poll);
    if (status != NN_OK) return nnpy_raise(nnpy_state(object), status, &poll);
    Py_RETURN_NONE;
}

const char nnpy_predict_doc[] = PyDoc_STR("predict($self, data, out, heeds_stop=False, /)\n--\n\n"
                                          "Writes the predicted classes into out (n,) int64.");

PyObject *nnpy_network_predict(PyObject *object, PyObject *args) {
    network_object *self = (network_object *)object;
    PyObject *data, *out;
    int heeds_stop = 0;
    if (!PyArg_ParseTuple(args, "OO|p:predict", &data, &out, &heeds_stop) || !is_data(object, data))
        return NULL;
    PyArrayObject *array = nnpy_output(out, "out", NPY_INT64, 1);
    if (array == NULL) return NULL;
    const nn_data *samples = ((data_object *)data)->data;
    if ((size_t)PyArray_DIM(array, 0) != nn_data_n_rows(samples))
        return nnpy_raise(nnpy_state(object), NN_ERROR_SHAPE, NULL);
    poller poll;
    if (!begin(self, &poll, heeds_stop)) return NULL;
    nn_status status = nn_predict(self->network, samples, PyArray_DATA(array), nnpy_poll, &poll);
    end(self, &poll);
    if (status != NN_OK) return nnpy_raise(nnpy_state(object), status, &poll);
    Py_RETURN_NONE;
}

const char nnpy_evaluate_doc[] =
    PyDoc_STR("evaluate($self, data, cost, heeds_stop=False, /)\n--\n\n"
              "(loss, accuracy) for this cost function; accuracy is NaN for\n"
              "regression. heeds_stop: raise Stopped once stop() has been called.");

PyObject *nnpy_network_evaluate(PyObject *object, PyObject *args) {
    network_object *self = (network_object *)object;
    PyObject *data;
    const char *name;
    int heeds_stop = 0;
    if (!PyArg_ParseTuple(args, "Os|p:evaluate", &data, &name, &heeds_stop) ||
        !is_data(object, data))
        return NULL;
    int cost = nnpy_find(nn_cost_find, "cost", name);
    if (cost < 0) return NULL;
    poller poll;
    nn_evaluation result;
    if (!begin(self, &poll, heeds_stop)) return NULL;
    nn_status status = nn_evaluate(self->network, ((data_object *)data)->data, (nn_cost)cost,
                                   &result, nnpy_poll, &poll);
    end(self, &poll);
    if (status != NN_OK) return nnpy_raise(nnpy_state(object), status, &poll);
    return Py_BuildValue("(dd)", result.loss, result.accuracy);
}

const char nnpy_assess_doc[] = PyDoc_STR(
    "assess($self, data, loss, predicted, actual, rank, confidence, probability, z, a, /)\n--\n\n"
    "Writes what nn_assessment has of these into arrays, None leaves one out: int64 (n,) for\n"
    "predicted, actual and rank, z and a (n, n_outputs) in this precision, float64 (n,) the rest.");

/* *place = the numbers of `object`, NULL for None. False with an exception. */
static bool place_of(PyObject *object, const char *name, int type, size_t rows, size_t columns,
                     void **place) {
    *place = NULL;
    if (object == Py_None) return true;
    PyArrayObject *array = nnpy_output(object, name, type, columns == 0 ? 1 : 2);
    if (array == NULL) return false;
    if ((size_t)PyArray_DIM(array, 0) != rows ||
        (columns > 0 && (size_t)PyArray_DIM(array, 1) != columns)) {
        PyErr_Format(PyExc_ValueError, "%s must have %zu rows, and a column for each output", name,
                     rows);
        return false;
    }
    *place = PyArray_DATA(array);
    return true;
}

PyObject *nnpy_network_assess(PyObject *object, PyObject *args) {
    static const char *const names[] = {"loss",       "predicted",   "actual", "rank",
                                        "confidence", "probability", "z",      "a"};
    static const int types[] = {NPY_FLOAT64, NPY_INT64,   NPY_INT64,   NPY_INT64,
                                NPY_FLOAT64, NPY_FLOAT64, NN_NPY_REAL, NN_NPY_REAL};
    network_object *self = (network_object *)object;
    PyObject *data, *given[8];
    void *place[8];
    if (!PyArg_ParseTuple(args, "OOOOOOOOO:assess", &data, &given[0], &given[1], &given[2],
                          &given[3], &given[4], &given[5], &given[6], &given[7]) ||
        !is_data(object, data))
        return NULL;
    const nn_data *samples = ((data_object *)data)->data;
    const size_t rows = nn_data_n_rows(samples), n = nn_network_n_outputs(self->network);
    for (size_t i = 0; i < 8; i++)
        if (!place_of(given[i], names[i], types[i], rows, i < 6 ? 0 : n, &place[i])) return NULL;
    const nn_assessment to = {.loss = place[0],
                              .predicted = place[1],
                              .actual = place[2],
                              .rank = place[3],
                              .confidence = place[4],
                              .probability = place[5],
                              .z = place[6],
                              .a = place[7]};
    poller poll;
    if (!begin(self, &poll, false)) return NULL;
    nn_status status = nn_assess(self->network, samples, &to, nnpy_poll, &poll);
    end(self, &poll);
    if (status != NN_OK) return nnpy_raise(nnpy_state(object), status, &poll);
    Py_RETURN_NONE;
}

const char nnpy_gradient_doc[] =
    PyDoc_STR("gradient($self, data, *, l1, l2, n, penalize_biases, training, seed)\n--\n\n"
              "(cost, [array, ...]): loss + penalties over all samples, and its gradient in the\n"
              "order of parameters().");

PyObject *nnpy_network_gradient(PyObject *object, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"data", "l1", "l2", "n", "penalize_biases", "training", "seed", NULL};
    network_object *self = (network_object *)object;
    PyObject *data;
    nn_gradient_options options = {0};
    int biases, training;
    unsigned long long seed;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O$dddppK:gradient", names, &data,
                                     &options.penalty.l1, &options.penalty.l2, &options.penalty.n,
                                     &biases, &training, &seed))
        return NULL;
    if (!is_data(object, data)) return NULL;
    options.penalty.biases = biases;
    options.training = training;
    options.seed = (uint64_t)seed;
    npy_intp extent = (npy_intp)nn_network_extent(self->network);
    PyObject *flat = PyArray_ZEROS(1, &extent, NN_NPY_REAL, 0), *views = NULL;
    poller poll;
    double cost;
    if (flat == NULL || !begin(self, &poll, false)) goto fail;
    nn_status status = nn_gradient(self->network, ((data_object *)data)->data, &options,
                                   PyArray_DATA((PyArrayObject *)flat), &cost, nnpy_poll, &poll);
    end(self, &poll);
    if (status != NN_OK) {
        nnpy_raise(nnpy_state(object), status, &poll);
        goto fail;
    }
    views = nnpy_tensor_views(self->network, PyArray_DATA((PyArrayObject *)flat), flat);

fail:
    Py_XDECREF(flat);
    return views != NULL ? Py_BuildValue("(dN)", cost, views) : NULL;
}

const char nnpy_inspect_doc[] = PyDoc_STR(
    "inspect($self, data, z, a, delta, /)\n--\n\n"
    "Fills lists of arrays, one a dense layer (a: one more, the outputs): weighted inputs\n"
    "z (n, n_out), inputs a (n, n_in) and delta (n, n_out) of every sample.");

/* Pointers to the arrays of a list of n, (rows, any). False with an exception. */
static bool pointers(PyObject *list, const char *name, Py_ssize_t n, size_t rows, nn_real **out) {
    if (!PyList_Check(list) || PyList_GET_SIZE(list) != n) {
        PyErr_Format(PyExc_ValueError, "%s must be a list of %zd arrays", name, n);
        return false;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyArrayObject *array = nnpy_output(PyList_GET_ITEM(list, i), name, NN_NPY_REAL, 2);
        if (array == NULL) return false;
        if ((size_t)PyArray_DIM(array, 0) != rows) {
            PyErr_Format(PyExc_ValueError, "%s must have %zu rows", name, rows);
            return false;
        }
        out[i] = PyArray_DATA(array);
    }
    return true;
}

/* The widths of the arrays fit the dense layers. */
static bool widths_fit(const nn_network *network, PyObject *z, PyObject *a, PyObject *delta) {
    Py_ssize_t n = PyList_GET_SIZE(z);
    for (Py_ssize_t i = 0; i < n; i++) {
        nn_parameter weight = nn_network_parameter(network, 2 * (size_t)i);
        npy_intp n_in = (npy_intp)weight.shape[0], n_out = (npy_intp)weight.shape[1];
        if (PyArray_DIM((PyArrayObject *)PyList_GET_ITEM(a, i), 1) != n_in ||
            PyArray_DIM((PyArrayObject *)PyList_GET_ITEM(z, i), 1) != n_out ||
            PyArray_DIM((PyArrayObject *)PyList_GET_ITEM(delta, i), 1) != n_out)
            return false;
    }
    return PyArray_DIM((PyArrayObject *)PyList_GET_ITEM(a, n), 1) ==
           (npy_intp)nn_network_n_outputs(network);
}

PyObject *nnpy_network_inspect(PyObject *object, PyObject *args) {
    network_object *self = (network_object *)object;
    PyObject *data, *z, *a, *delta, *answer = NULL;
    if (!PyArg_ParseTuple(args, "OOOO:inspect", &data, &z, &a, &delta) || !is_data(object, data))
        return NULL;
    const nn_data *samples = ((data_object *)data)->data;
    Py_ssize_t n = (Py_ssize_t)nn_network_n_tensors(self->network) / 2;
    size_t rows = nn_data_n_rows(samples);
    nn_real **place = PyMem_Calloc(3 * (size_t)n + 1, sizeof *place);
    if (place == NULL) return PyErr_NoMemory();
    if (!pointers(z, "z", n, rows, place) || !pointers(delta, "delta", n, rows, place + n) ||
        !pointers(a, "a", n + 1, rows, place + 2 * n))
        goto fail;
    if (!widths_fit(self->network, z, a, delta)) {
        nnpy_raise(nnpy_state(object), NN_ERROR_SHAPE, NULL);
        goto fail;
    }
    poller poll;
    if (!begin(self, &poll, false)) goto fail;
    nn_status status =
        nn_inspect(self->network, samples, place, place + 2 * n, place + n, nnpy_poll, &poll);
    end(self, &poll);
    answer = status == NN_OK ? Py_NewRef(Py_None) : nnpy_raise(nnpy_state(object), status, &poll);

fail:
    PyMem_Free(place);
    return answer;
}

const char nnpy_paths_doc[] = PyDoc_STR(
    "paths($self, data, batch_size, augment=None, /)\n--\n\n"
    "(rows, shared, [dict, ...]): how training works on each dense layer, by the names that\n"
    "nn_path has for it in C; rows: of a block, shared: steps are shared among threads.\n"
    "augment: as Trainer.bind takes it.");

/* One layer's. New reference. */
static PyObject *path_as_dict(const nn_path *path) {
    static const char *const loops[] = {"few rows", "narrow", "BLIS"}; /* as nn_loops */
    return Py_BuildValue("{snsnsOsnsOsssOsOsnsn}", "n_in", (Py_ssize_t)path->n_in, "n_out",
                         (Py_ssize_t)path->n_out, "sparse", path->sparse ? Py_True : Py_False,
                         "tile", (Py_ssize_t)path->tile, "by_rows",
                         path->by_rows ? Py_True : Py_False, "loops", loops[path->loops],
                         "has_input_gradient", path->has_input_gradient ? Py_True : Py_False,
                         "transposes", path->transposes ? Py_True : Py_False, "few_rows",
                         (Py_ssize_t)path->few_rows, "narrow", (Py_ssize_t)path->narrow);
}

PyObject *nnpy_network_paths(PyObject *object, PyObject *args) {
    const nn_network *network = ((network_object *)object)->network;
    PyObject *data, *tuple = Py_None, *list = NULL;
    Py_ssize_t batch_size;
    size_t rows, n = nn_network_n_tensors(network) / 2;
    bool shared;
    nn_augment augment;
    if (!PyArg_ParseTuple(args, "On|O:paths", &data, &batch_size, &tuple) || !is_data(object, data))
        return NULL;
    if (tuple != Py_None && !nnpy_parse_augment(tuple, &augment)) return NULL;
    nn_path *paths = PyMem_Calloc(n, sizeof *paths);
    if (paths == NULL) return PyErr_NoMemory();
    nn_status status = nn_training_paths(network, ((data_object *)data)->data,
                                         batch_size > 0 ? (size_t)batch_size : 0,
                                         tuple != Py_None ? &augment : NULL, paths, &rows, &shared);
    if (status == NN_OK)
        list = PyList_New((Py_ssize_t)n);
    else
        nnpy_raise(nnpy_state(object), status, NULL);
    for (size_t i = 0; list != NULL && i < n; i++) {
        PyObject *dict = path_as_dict(&paths[i]);
        if (dict == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, dict);
    }
    PyMem_Free(paths);
    if (list == NULL) return NULL;
    return Py_BuildValue("(nON)", (Py_ssize_t)rows, shared ? Py_True : Py_False, list);
}
