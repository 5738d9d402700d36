/* _core.Network: layers and parameters; evaluation; the claim of a fit. */
#include "binding/binding.h"

/* ---- making and freeing --------------------------------------------------------------------- */

/* Fills one layer from (kind, units, activation, init, init_sd, p). False with an exception. */
static bool parse_layer(PyObject *item, nn_layer *layer) {
    const char *kind, *activation, *init;
    Py_ssize_t units;
    if (!PyTuple_Check(item)) {
        PyErr_SetString(PyExc_TypeError, "layers must be a list of tuples");
        return false;
    }
    if (!PyArg_ParseTuple(item, "snssdd", &kind, &units, &activation, &init, &layer->init_sd,
                          &layer->p))
        return false;
    int codes[3] = {nnpy_find(nn_layer_find, "kind", kind), -1, -1};
    if (codes[0] >= 0) codes[1] = nnpy_find(nn_activation_find, "activation", activation);
    if (codes[1] >= 0) codes[2] = nnpy_find(nn_init_find, "init", init);
    if (codes[2] < 0) return false;
    layer->kind = (nn_layer_kind)codes[0];
    layer->activation = (nn_activation)codes[1];
    layer->init = (nn_init)codes[2];
    layer->units = units > 0 ? (size_t)units : 0;
    return true;
}

/* The layers of a list, to be freed with PyMem_Free; NULL with an exception. */
static nn_layer *parse_layers(PyObject *list) {
    Py_ssize_t n = PyList_GET_SIZE(list);
    nn_layer *layers = PyMem_Calloc((size_t)n + 1, sizeof *layers);
    if (layers == NULL) return (nn_layer *)PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < n; i++) {
        if (parse_layer(PyList_GET_ITEM(list, i), &layers[i])) continue;
        PyMem_Free(layers);
        return NULL;
    }
    return layers;
}

PyDoc_STRVAR(network_doc,
             "Network(n_inputs, layers, cost, seed)\n--\n\n"
             "A network with start weights drawn for the seed. layers: a list of tuples\n"
             "(kind, units, activation, init, init_sd, p).");

static PyObject *network_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"n_inputs", "layers", "cost", "seed", NULL};
    Py_ssize_t n_inputs;
    PyObject *list;
    const char *cost_name;
    unsigned long long seed;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "nO!sK:Network", names, &n_inputs, &PyList_Type,
                                     &list, &cost_name, &seed))
        return NULL;
    int cost = nnpy_find(nn_cost_find, "cost", cost_name);
    if (cost < 0) return NULL;
    nn_layer *layers = parse_layers(list);
    if (layers == NULL) return NULL;
    network_object *self = (network_object *)type->tp_alloc(type, 0);
    if (self == NULL) goto fail;
    self->lock = PyThread_allocate_lock();
    if (self->lock == NULL) {
        PyErr_NoMemory();
        goto fail;
    }
    nn_status status =
        nn_network_create(&self->network, n_inputs > 0 ? (size_t)n_inputs : 0, layers,
                          (size_t)PyList_GET_SIZE(list), (nn_cost)cost, (uint64_t)seed);
    if (status != NN_OK) {
        nnpy_raise(PyType_GetModuleState(type), status, NULL);
        goto fail;
    }
    PyMem_Free(layers);
    return (PyObject *)self;

fail:
    PyMem_Free(layers);
    Py_XDECREF(self);
    return NULL;
}

static void network_dealloc(PyObject *object) {
    network_object *self = (network_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    nn_network_free(self->network);
    if (self->lock != NULL) PyThread_free_lock(self->lock);
    type->tp_free(object);
    Py_DECREF(type);
}

/* ---- parameters ----------------------------------------------------------------------------- */

PyDoc_STRVAR(
    parameters_doc,
    "parameters($self, /)\n--\n\n"
    "[array, ...]: writeable views of every parameter, weight before bias, layer by layer.\n"
    "A view keeps the network alive.");

static PyObject *network_parameters(PyObject *object, PyObject *Py_UNUSED(ignored)) {
    const nn_network *network = ((network_object *)object)->network;
    return nnpy_tensor_views(network, nn_network_parameter(network, 0).values, object);
}

static PyObject *get_names(PyObject *object, void *closure) {
    (void)closure;
    const nn_network *network = ((network_object *)object)->network;
    size_t n = nn_network_n_tensors(network);
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list != NULL && i < n; i++) {
        PyObject *name = PyUnicode_FromString(nn_network_parameter(network, i).name);
        if (name == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, name);
    }
    return list;
}

PyDoc_STRVAR(initialize_doc, "initialize($self, seed, /)\n--\n\n"
                             "Draws the start weights anew; both counters become 0.");

static PyObject *network_initialize(PyObject *object, PyObject *args) {
    network_object *self = (network_object *)object;
    unsigned long long seed;
    if (!PyArg_ParseTuple(args, "K:initialize", &seed)) return NULL;
    if (!nnpy_enter(self)) return NULL;
    nn_network_initialize(self->network, (uint64_t)seed);
    nnpy_leave(self);
    Py_RETURN_NONE;
}

static PyObject *get_counters(PyObject *object, void *closure) {
    (void)closure;
    const nn_network *network = ((network_object *)object)->network;
    return Py_BuildValue("(KK)", (unsigned long long)nn_network_epochs(network),
                         (unsigned long long)nn_network_steps(network));
}

static int set_counters(PyObject *object, PyObject *value, void *closure) {
    (void)closure;
    unsigned long long epochs, steps;
    network_object *self = (network_object *)object;
    if (value == NULL || !PyTuple_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "counters must be a tuple (epochs, steps)");
        return -1;
    }
    if (!PyArg_ParseTuple(value, "KK", &epochs, &steps)) return -1;
    if (!nnpy_enter(self)) return -1;
    nn_network_set_counters(self->network, (uint64_t)epochs, (uint64_t)steps);
    nnpy_leave(self);
    return 0;
}

/* ---- evaluation ----------------------------------------------------------------------------- */

/* Parses the data argument of a method; false with TypeError. */
static bool is_data(PyObject *self, PyObject *data) {
    module_state *state = nnpy_state(self);
    if (state == NULL) return false;
    if (PyObject_TypeCheck(data, (PyTypeObject *)state->data_type)) return true;
    PyErr_SetString(PyExc_TypeError, "data must be a Data of the same core");
    return false;
}

/* Enters the network and releases the GIL; false with an exception. */
static bool begin(network_object *self, poller *poll) {
    if (!nnpy_enter(self)) return false;
    if (nnpy_poll_begin(poll, (PyObject *)self, self, NULL)) return true;
    nnpy_leave(self);
    return false;
}

static void end(network_object *self, poller *poll) {
    nnpy_poll_end(poll);
    nnpy_leave(self);
}

PyDoc_STRVAR(forward_doc, "forward($self, data, out, /)\n--\n\n"
                          "Writes the outputs into out (n, n_outputs).");

static PyObject *network_forward(PyObject *object, PyObject *args) {
    network_object *self = (network_object *)object;
    PyObject *data, *out;
    if (!PyArg_ParseTuple(args, "OO:forward", &data, &out) || !is_data(object, data)) return NULL;
    PyArrayObject *array = nnpy_array(out, "out", NN_NPY_REAL, 2);
    if (array == NULL) return NULL;
    const nn_data *samples = ((data_object *)data)->data;
    if ((size_t)PyArray_DIM(array, 0) != nn_data_n_rows(samples) ||
        (size_t)PyArray_DIM(array, 1) != nn_network_n_outputs(self->network))
        return nnpy_raise(nnpy_state(object), NN_ERROR_SHAPE, NULL);
    poller poll;
    if (!begin(self, &poll)) return NULL;
    nn_status status = nn_forward(self->network, samples, PyArray_DATA(array), nnpy_poll, &poll);
    end(self, &poll);
    if (status != NN_OK) return nnpy_raise(nnpy_state(object), status, &poll);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(predict_doc, "predict($self, data, out, /)\n--\n\n"
                          "Writes the predicted classes into out (n,) int64.");

static PyObject *network_predict(PyObject *object, PyObject *args) {
    network_object *self = (network_object *)object;
    PyObject *data, *out;
    if (!PyArg_ParseTuple(args, "OO:predict", &data, &out) || !is_data(object, data)) return NULL;
    PyArrayObject *array = nnpy_array(out, "out", NPY_INT64, 1);
    if (array == NULL) return NULL;
    const nn_data *samples = ((data_object *)data)->data;
    if ((size_t)PyArray_DIM(array, 0) != nn_data_n_rows(samples))
        return nnpy_raise(nnpy_state(object), NN_ERROR_SHAPE, NULL);
    poller poll;
    if (!begin(self, &poll)) return NULL;
    nn_status status = nn_predict(self->network, samples, PyArray_DATA(array), nnpy_poll, &poll);
    end(self, &poll);
    if (status != NN_OK) return nnpy_raise(nnpy_state(object), status, &poll);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(evaluate_doc, "evaluate($self, data, cost, /)\n--\n\n"
                           "(loss, accuracy) for this cost function; accuracy is NaN for\n"
                           "regression.");

static PyObject *network_evaluate(PyObject *object, PyObject *args) {
    network_object *self = (network_object *)object;
    PyObject *data;
    const char *name;
    if (!PyArg_ParseTuple(args, "Os:evaluate", &data, &name) || !is_data(object, data)) return NULL;
    int cost = nnpy_find(nn_cost_find, "cost", name);
    if (cost < 0) return NULL;
    poller poll;
    nn_evaluation result;
    if (!begin(self, &poll)) return NULL;
    nn_status status = nn_evaluate(self->network, ((data_object *)data)->data, (nn_cost)cost,
                                   &result, nnpy_poll, &poll);
    end(self, &poll);
    if (status != NN_OK) return nnpy_raise(nnpy_state(object), status, &poll);
    return Py_BuildValue("(dd)", result.loss, result.accuracy);
}

PyDoc_STRVAR(gradient_doc,
             "gradient($self, data, *, l1, l2, n, penalize_biases, training, seed)\n--\n\n"
             "(cost, [array, ...]): loss + penalties over all samples, and its gradient in the\n"
             "order of parameters().");

static PyObject *network_gradient(PyObject *object, PyObject *args, PyObject *kwargs) {
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
    if (flat == NULL || !begin(self, &poll)) goto fail;
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

PyDoc_STRVAR(
    inspect_doc,
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
        PyArrayObject *array = nnpy_array(PyList_GET_ITEM(list, i), name, NN_NPY_REAL, 2);
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

static PyObject *network_inspect(PyObject *object, PyObject *args) {
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
    if (!begin(self, &poll)) goto fail;
    nn_status status =
        nn_inspect(self->network, samples, place, place + 2 * n, place + n, nnpy_poll, &poll);
    end(self, &poll);
    answer = status == NN_OK ? Py_NewRef(Py_None) : nnpy_raise(nnpy_state(object), status, &poll);

fail:
    PyMem_Free(place);
    return answer;
}

/* ---- a fit's claim -------------------------------------------------------------------------- */

PyDoc_STRVAR(claim_doc, "claim($self, /)\n--\n\n"
                        "A fit begins: RuntimeError when one is under way.");

static PyObject *network_claim(PyObject *object, PyObject *Py_UNUSED(ignored)) {
    if (!nnpy_claim((network_object *)object)) return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(unclaim_doc, "unclaim($self, /)\n--\n\nThe fit has ended.");

static PyObject *network_unclaim(PyObject *object, PyObject *Py_UNUSED(ignored)) {
    nnpy_unclaim((network_object *)object);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(stop_doc, "stop($self, /)\n--\n\n"
                       "Asks the running fit to end; does nothing when none runs. Takes no lock.");

static PyObject *network_stop(PyObject *object, PyObject *Py_UNUSED(ignored)) {
    network_object *self = (network_object *)object;
    if (self->owner != 0) atomic_store(&self->stop, 1);
    Py_RETURN_NONE;
}

static PyObject *get_stopping(PyObject *object, void *closure) {
    (void)closure;
    return PyBool_FromLong(atomic_load(&((network_object *)object)->stop));
}

static PyObject *get_output(PyObject *object, void *closure) {
    (void)closure;
    const nn_network *network = ((network_object *)object)->network;
    return PyUnicode_FromString(nn_activation_name((int)nn_network_output(network)));
}

static PyObject *get_is_regression(PyObject *object, void *closure) {
    (void)closure;
    return PyBool_FromLong(nn_network_is_regression(((network_object *)object)->network));
}

/* ---- the type ------------------------------------------------------------------------------- */

static PyMethodDef methods[] = {{"parameters", network_parameters, METH_NOARGS, parameters_doc},
                                {"initialize", network_initialize, METH_VARARGS, initialize_doc},
                                {"forward", network_forward, METH_VARARGS, forward_doc},
                                {"predict", network_predict, METH_VARARGS, predict_doc},
                                {"evaluate", network_evaluate, METH_VARARGS, evaluate_doc},
                                {"gradient", (PyCFunction)(void (*)(void))network_gradient,
                                 METH_VARARGS | METH_KEYWORDS, gradient_doc},
                                {"inspect", network_inspect, METH_VARARGS, inspect_doc},
                                {"claim", network_claim, METH_NOARGS, claim_doc},
                                {"unclaim", network_unclaim, METH_NOARGS, unclaim_doc},
                                {"stop", network_stop, METH_NOARGS, stop_doc},
                                {0}};

static PyGetSetDef getset[] = {
    {"names", get_names, NULL, "The names of the parameters, in their order.", NULL},
    {"counters", get_counters, set_counters, "(epochs, steps) of the network's life.", NULL},
    {"stopping", get_stopping, NULL, "Whether stop() has been called in this fit.", NULL},
    {"output", get_output, NULL, "The activation of the outputs.", NULL},
    {"is_regression", get_is_regression, NULL, "Whether predictions are no classes.", NULL},
    {0}};

static PyType_Slot slots[] = {{Py_tp_doc, (void *)network_doc}, {Py_tp_new, network_new},
                              {Py_tp_dealloc, network_dealloc}, {Py_tp_methods, methods},
                              {Py_tp_getset, getset},           {0, NULL}};

PyType_Spec nnpy_network_spec = {.name = "nnlearn._core.Network",
                                 .basicsize = sizeof(network_object),
                                 .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                                 .slots = slots};
