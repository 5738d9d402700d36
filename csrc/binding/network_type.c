/* _core.Network: layers and parameters; evaluation; the claim of a fit. */
#include "binding/binding.h"

#include <string.h>

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

PyDoc_STRVAR(is_finite_doc, "is_finite($self, /)\n--\n\n"
                            "Whether no parameter is NaN or infinite.");

static PyObject *network_is_finite(PyObject *object, PyObject *Py_UNUSED(ignored)) {
    return PyBool_FromLong(nn_network_is_finite(((network_object *)object)->network));
}

PyDoc_STRVAR(assign_doc,
             "assign($self, arrays, trainer, /)\n--\n\n"
             "Copies an array into each parameter, and clears the trainer's state (None: of\n"
             "none), both at one moment. Waits for the end of an epoch or evaluation.");

/* As many arrays as parameters, of their shapes. False with an exception. */
static bool arrays_fit(const nn_network *network, PyObject *arrays) {
    size_t n = nn_network_n_tensors(network);
    if ((size_t)PyList_GET_SIZE(arrays) != n) {
        PyErr_Format(PyExc_ValueError, "arrays must be %zu, one a parameter", n);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        nn_parameter to = nn_network_parameter(network, i);
        PyArrayObject *array =
            nnpy_array(PyList_GET_ITEM(arrays, (Py_ssize_t)i), to.name, NN_NPY_REAL, (int)to.ndim);
        if (array == NULL) return false;
        for (size_t k = 0; k < to.ndim; k++)
            if ((size_t)PyArray_DIM(array, (int)k) != to.shape[k]) {
                PyErr_Format(PyExc_ValueError, "%s must have the parameter's shape", to.name);
                return false;
            }
    }
    return true;
}

static PyObject *network_assign(PyObject *object, PyObject *args) {
    network_object *self = (network_object *)object;
    module_state *state = nnpy_state(object);
    PyObject *arrays, *trainer;
    if (state == NULL || !PyArg_ParseTuple(args, "O!O:assign", &PyList_Type, &arrays, &trainer) ||
        !nnpy_is_trainer(state, trainer) || !arrays_fit(self->network, arrays) || !nnpy_enter(self))
        return NULL;
    for (size_t i = 0; i < nn_network_n_tensors(self->network); i++) {
        PyArrayObject *array = (PyArrayObject *)PyList_GET_ITEM(arrays, (Py_ssize_t)i);
        nn_parameter to = nn_network_parameter(self->network, i);
        memcpy(to.values, PyArray_DATA(array), (size_t)PyArray_NBYTES(array));
    }
    if (trainer != Py_None) nnpy_trainer_clear(trainer);
    nnpy_leave(self);
    Py_RETURN_NONE;
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

PyDoc_STRVAR(
    snapshot_doc,
    "snapshot($self, trainer, /)\n--\n\n"
    "([array, ...], (epochs, steps), state): copies of all parameters, the counters, and\n"
    "what trainer.get_state gives (None for None), all of one moment. Waits for the end of\n"
    "an epoch.");

/* The parts of a snapshot, with the network entered. New reference. */
static PyObject *take_snapshot(network_object *self, PyObject *trainer, PyObject *flat) {
    size_t extent = nn_network_extent(self->network);
    nn_real *start = PyArray_DATA((PyArrayObject *)flat);
    memcpy(start, nn_network_parameter(self->network, 0).values, extent * sizeof *start);
    PyObject *state = trainer == Py_None ? Py_NewRef(Py_None) : nnpy_trainer_state(trainer);
    PyObject *views = state != NULL ? nnpy_tensor_views(self->network, start, flat) : NULL;
    PyObject *counters = views != NULL ? get_counters((PyObject *)self, NULL) : NULL;
    PyObject *answer = counters != NULL ? PyTuple_Pack(3, views, counters, state) : NULL;
    Py_XDECREF(state);
    Py_XDECREF(views);
    Py_XDECREF(counters);
    return answer;
}

static PyObject *network_snapshot(PyObject *object, PyObject *trainer) {
    network_object *self = (network_object *)object;
    module_state *state = nnpy_state(object);
    if (state == NULL) return NULL;
    if (!nnpy_is_trainer(state, trainer)) return NULL;
    npy_intp extent = (npy_intp)nn_network_extent(self->network);
    PyObject *flat = PyArray_SimpleNew(1, &extent, NN_NPY_REAL), *answer = NULL;
    if (flat != NULL && nnpy_enter(self)) {
        answer = take_snapshot(self, trainer, flat);
        nnpy_leave(self);
    }
    Py_XDECREF(flat);
    return answer;
}

static PyObject *get_threads(PyObject *object, void *closure) {
    (void)closure;
    return PyLong_FromSize_t(nn_network_threads(((network_object *)object)->network));
}

static int set_threads(PyObject *object, PyObject *value, void *closure) {
    (void)closure;
    size_t n = value != NULL ? PyLong_AsSize_t(value) : (size_t)-1;
    if (value == NULL) PyErr_SetString(PyExc_AttributeError, "n_threads cannot be deleted");
    if (PyErr_Occurred()) return -1;
    nn_network_set_threads(((network_object *)object)->network, n);
    return 0;
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
    bool owner = nnpy_is_owner(self); /* its own counters, which are atomic */
    if (!owner && !nnpy_enter(self)) return -1;
    nn_network_set_counters(self->network, (uint64_t)epochs, (uint64_t)steps);
    if (!owner) nnpy_leave(self);
    return 0;
}

/* ---- a fit's claim -------------------------------------------------------------------------- */

PyDoc_STRVAR(
    claimed_doc,
    "claimed($self, body, settle, /)\n--\n\n"
    "Claims the network (RuntimeError when a fit has it), calls body, calls settle however\n"
    "body ends, and gives the claim back: body's result. settle is called again when Ctrl-C\n"
    "interrupts it, so it must be one that may begin anew; the first exception is raised\n"
    "in the end. No interrupt comes between these steps, as one could in Python.");

/* Calls settle until Ctrl-C does not interrupt it. Keeps the exception that is set; without one,
 * the first that settle raises is set afterwards. */
static void call_settle(PyObject *settle) {
    PyObject *type, *value, *traceback;
    bool interrupted = true;
    PyErr_Fetch(&type, &value, &traceback);
    while (interrupted) {
        PyObject *answer = PyObject_CallNoArgs(settle);
        interrupted = answer == NULL && PyErr_ExceptionMatches(PyExc_KeyboardInterrupt);
        if (answer == NULL && type == NULL)
            PyErr_Fetch(&type, &value, &traceback);
        else
            PyErr_Clear();
        Py_XDECREF(answer);
    }
    PyErr_Restore(type, value, traceback);
}

static PyObject *network_claimed(PyObject *object, PyObject *args) {
    network_object *self = (network_object *)object;
    PyObject *body, *settle;
    if (!PyArg_ParseTuple(args, "OO:claimed", &body, &settle)) return NULL;
    if (!nnpy_claim(self)) return NULL;
    PyObject *answer = PyObject_CallNoArgs(body);
    call_settle(settle);
    nnpy_unclaim(self);
    if (PyErr_Occurred()) Py_CLEAR(answer);
    return answer;
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

static PyMethodDef methods[] = {
    {"parameters", network_parameters, METH_NOARGS, parameters_doc},
    {"is_finite", network_is_finite, METH_NOARGS, is_finite_doc},
    {"snapshot", network_snapshot, METH_O, snapshot_doc},
    {"assign", network_assign, METH_VARARGS, assign_doc},
    {"initialize", network_initialize, METH_VARARGS, initialize_doc},
    {"forward", nnpy_network_forward, METH_VARARGS, nnpy_forward_doc},
    {"predict", nnpy_network_predict, METH_VARARGS, nnpy_predict_doc},
    {"evaluate", nnpy_network_evaluate, METH_VARARGS, nnpy_evaluate_doc},
    {"assess", nnpy_network_assess, METH_VARARGS, nnpy_assess_doc},
    {"gradient", (PyCFunction)(void (*)(void))nnpy_network_gradient, METH_VARARGS | METH_KEYWORDS,
     nnpy_gradient_doc},
    {"inspect", nnpy_network_inspect, METH_VARARGS, nnpy_inspect_doc},
    {"paths", nnpy_network_paths, METH_VARARGS, nnpy_paths_doc},
    {"claimed", network_claimed, METH_VARARGS, claimed_doc},
    {"stop", network_stop, METH_NOARGS, stop_doc},
    {0}};

static PyGetSetDef getset[] = {
    {"names", get_names, NULL, "The names of the parameters, in their order.", NULL},
    {"counters", get_counters, set_counters, "(epochs, steps) of the network's life.", NULL},
    {"n_threads", get_threads, set_threads, "Threads that may share a long step.", NULL},
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
