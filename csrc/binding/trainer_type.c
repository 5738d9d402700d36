/* _core.Trainer: one epoch at a time, and the optimiser's state. */
#include "binding/binding.h"

#include <string.h>

typedef struct trainer_object {
    PyObject_HEAD nn_trainer *trainer;
    network_object *network; /* owned */
    PyObject *data;          /* owned: bound, or NULL */
    nn_epoch settings;       /* of the epochs to come */
} trainer_object;

/* ---- making and freeing --------------------------------------------------------------------- */

PyDoc_STRVAR(trainer_doc, "Trainer(network)\n--\n\nWhat training adds to one network.");

static PyObject *trainer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"network", NULL};
    module_state *state = PyType_GetModuleState(type);
    PyObject *network;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!:Trainer", names, state->network_type,
                                     &network))
        return NULL;
    trainer_object *self = (trainer_object *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->network = (network_object *)Py_NewRef(network);
    self->settings = nn_epoch_defaults();
    nn_status status = nn_trainer_create(&self->trainer, self->network->network);
    if (status == NN_OK) return (PyObject *)self;
    Py_DECREF(self);
    return nnpy_raise(state, status, NULL);
}

static void trainer_dealloc(PyObject *object) {
    trainer_object *self = (trainer_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    nn_trainer_free(self->trainer);
    Py_XDECREF((PyObject *)self->network);
    Py_XDECREF(self->data);
    type->tp_free(object);
    Py_DECREF(type);
}

/* ---- training ------------------------------------------------------------------------------- */

PyDoc_STRVAR(bind_doc, "bind($self, data, batch_size, optimizer, augment=None, /)\n--\n\n"
                       "Gets ready for epochs on this data; returns the steps of one. optimizer:\n"
                       "(name, learning_rate, momentum, nesterov). augment: None or\n"
                       "((channels, height, width), ((name, amount, sigma), ...)).");

static PyObject *trainer_bind(PyObject *object, PyObject *args) {
    trainer_object *self = (trainer_object *)object;
    module_state *state = nnpy_state(object);
    PyObject *data, *tuple, *images = Py_None;
    Py_ssize_t batch_size;
    nn_optimizer optimizer = {0};
    nn_augment augment;
    if (state == NULL || !PyArg_ParseTuple(args, "O!nO|O:bind", state->data_type, &data,
                                           &batch_size, &tuple, &images))
        return NULL;
    if (images != Py_None && !nnpy_parse_augment(images, &augment)) return NULL;
    if (!nnpy_parse_optimizer(tuple, &optimizer) || !nnpy_enter(self->network)) return NULL;
    nn_status status = nn_trainer_bind_augmented(self->trainer, ((data_object *)data)->data,
                                                 batch_size > 0 ? (size_t)batch_size : 0,
                                                 &optimizer, images != Py_None ? &augment : NULL);
    nnpy_leave(self->network);
    if (status != NN_OK) return nnpy_raise(state, status, NULL);
    Py_XSETREF(self->data, Py_NewRef(data));
    return PyLong_FromSize_t(nn_trainer_n_steps(self->trainer));
}

/* The answer of an epoch that came to its end, was stopped, or diverged. */
static PyObject *answer(const nn_trainer *trainer, nn_status status,
                        const nn_epoch_result *result) {
    if (status == NN_OK)
        return Py_BuildValue("(sdddn)", "done", result->loss, result->penalty, result->accuracy,
                             (Py_ssize_t)result->n_steps);
    if (status == NN_STOPPED) return Py_BuildValue("(sn)", "stopped", (Py_ssize_t)result->n_steps);
    nn_failure failure = nn_trainer_failure(trainer);
    return Py_BuildValue("(snsd)", "diverged", (Py_ssize_t)failure.step, failure.where,
                         failure.value);
}

PyDoc_STRVAR(prepare_doc,
             "prepare($self, *, optimizer, l1, l2, penalize_biases, shuffle, seed)\n--\n\n"
             "The settings of all epochs from now on. optimizer: as bind takes it.");

static PyObject *trainer_prepare(PyObject *object, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"optimizer", "l1", "l2", "penalize_biases", "shuffle", "seed", NULL};
    trainer_object *self = (trainer_object *)object;
    PyObject *optimizer;
    nn_epoch settings = nn_epoch_defaults();
    int biases, shuffle;
    unsigned long long seed;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "$OddppK:prepare", names, &optimizer,
                                     &settings.l1, &settings.l2, &biases, &shuffle, &seed) ||
        !nnpy_parse_optimizer(optimizer, &settings.optimizer))
        return NULL;
    settings.penalize_biases = biases;
    settings.shuffle = shuffle;
    settings.seed = (uint64_t)seed;
    self->settings = settings;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(
    epoch_doc,
    "epoch($self, step_loss, first, progress, /)\n--\n\n"
    "Trains one epoch on the bound data: ('done', loss, penalty, accuracy, n_steps),\n"
    "('stopped', n_steps) after stop(), or ('diverged', step, where, value) with everything as it\n"
    "was. step_loss: float32 (n,) or None; the losses of the steps go to its elements from "
    "`first`\n"
    "on. progress: called with (steps done, steps), or None.");

/* Points settings at the caller's array for the losses of the steps. False with an exception. */
static bool take_step_loss(const trainer_object *self, PyObject *step_loss, size_t first,
                           nn_epoch *settings) {
    if (step_loss == Py_None) return true;
    PyArrayObject *array = nnpy_output(step_loss, "step_loss", NPY_FLOAT32, 1);
    if (array == NULL) return false;
    const size_t size = (size_t)PyArray_DIM(array, 0);
    if (first > size || nn_trainer_n_steps(self->trainer) > size - first) {
        PyErr_SetString(PyExc_ValueError, "step_loss must have room for the steps of an epoch");
        return false;
    }
    settings->step_loss = (float *)PyArray_DATA(array) + first;
    return true;
}

/* The epoch itself, with the network entered: until it is, another thread could bind other data.
 * False with an exception, else *status is the core's. */
static bool run(trainer_object *self, nn_epoch_result *result, PyObject *step_loss, size_t first,
                PyObject *progress, nn_status *status) {
    poller poll;
    nn_epoch settings = self->settings;
    if (!take_step_loss(self, step_loss, first, &settings) ||
        !nnpy_poll_begin(&poll, (PyObject *)self, self->network, progress))
        return false;
    settings.poll = nnpy_poll;
    settings.poll_context = &poll;
    *status = nn_train_epoch(self->trainer, &settings, result);
    nnpy_poll_end(&poll);
    return !poll.raised;
}

static PyObject *trainer_epoch(PyObject *object, PyObject *const *args, Py_ssize_t n_args) {
    trainer_object *self = (trainer_object *)object;
    nn_epoch_result result = {0};
    nn_status status = NN_OK;
    if (n_args != 3)
        return PyErr_Format(PyExc_TypeError, "epoch must be given 3 arguments, got %zd", n_args);
    size_t first = PyLong_AsSize_t(args[1]);
    if (first == (size_t)-1 && PyErr_Occurred()) return NULL;
    if (!nnpy_enter(self->network)) return NULL;
    bool ran = run(self, &result, args[0], first, args[2], &status);
    nnpy_leave(self->network);
    if (!ran) return NULL;
    if (status == NN_OK || status == NN_STOPPED || status == NN_DIVERGED)
        return answer(self->trainer, status, &result);
    return nnpy_raise(nnpy_state(object), status, NULL);
}

PyDoc_STRVAR(unbind_doc, "unbind($self, /)\n--\n\n"
                         "Lets go of the bound data; the optimiser's state stays.");

static PyObject *trainer_unbind(PyObject *object, PyObject *Py_UNUSED(ignored)) {
    trainer_object *self = (trainer_object *)object;
    bool owner = nnpy_is_owner(self->network); /* only epochs use what is let go of here */
    if (!owner && !nnpy_enter(self->network)) return NULL;
    nn_trainer_unbind(self->trainer);
    if (!owner) nnpy_leave(self->network);
    Py_CLEAR(self->data);
    Py_RETURN_NONE;
}

/* ---- optimiser state ------------------------------------------------------------------------ */

PyDoc_STRVAR(state_doc,
             "get_state($self, /)\n--\n\n"
             "(optimizer's name, [slot, ...]): copies of what the optimiser remembers; a\n"
             "slot is None or a list of arrays, one a parameter.");

/* A copy of a slot as a list of arrays; None where it is not kept. New reference. */
static PyObject *copy_slot(const trainer_object *self, size_t i) {
    const nn_network *network = self->network->network;
    npy_intp extent = (npy_intp)nn_network_extent(network);
    const nn_real *slot = nn_trainer_slot(self->trainer, i);
    if (slot == NULL) return Py_NewRef(Py_None);
    PyObject *flat = PyArray_SimpleNew(1, &extent, NN_NPY_REAL);
    if (flat == NULL) return NULL;
    nn_real *start = PyArray_DATA((PyArrayObject *)flat);
    memcpy(start, slot, (size_t)extent * sizeof *slot);
    PyObject *views = nnpy_tensor_views(network, start, flat);
    Py_DECREF(flat);
    return views;
}

PyObject *nnpy_trainer_state(PyObject *object) {
    trainer_object *self = (trainer_object *)object;
    PyObject *list = PyList_New(NN_OPTIMIZER_SLOTS);
    for (size_t i = 0; list != NULL && i < NN_OPTIMIZER_SLOTS; i++) {
        PyObject *slot = copy_slot(self, i);
        if (slot == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, slot);
    }
    if (list == NULL) return NULL;
    return Py_BuildValue("(sN)", nn_optimizer_name((int)nn_trainer_kind(self->trainer)), list);
}

bool nnpy_is_trainer(const module_state *state, PyObject *object) {
    if (object == Py_None || PyObject_TypeCheck(object, (PyTypeObject *)state->trainer_type))
        return true;
    PyErr_SetString(PyExc_TypeError, "trainer must be a Trainer of the same core, or None");
    return false;
}

void nnpy_trainer_clear(PyObject *object) {
    nn_trainer_clear(((trainer_object *)object)->trainer);
}

static PyObject *trainer_get_state(PyObject *object, PyObject *Py_UNUSED(ignored)) {
    network_object *network = ((trainer_object *)object)->network;
    if (!nnpy_enter(network)) return NULL;
    PyObject *state = nnpy_trainer_state(object);
    nnpy_leave(network);
    return state;
}

PyDoc_STRVAR(set_state_doc, "set_state($self, name, slots, /)\n--\n\n"
                            "Puts back what get_state gave.");

/* The arrays of a slot fit the network's tensors. False with an exception. */
static bool slot_fits(const nn_network *network, PyObject *slot) {
    size_t n = nn_network_n_tensors(network);
    bool fits = slot == Py_None || (PyList_Check(slot) && (size_t)PyList_GET_SIZE(slot) == n);
    for (size_t i = 0; fits && slot != Py_None && i < n; i++) {
        nn_parameter tensor = nn_network_parameter(network, i);
        PyArrayObject *array =
            nnpy_array(PyList_GET_ITEM(slot, (Py_ssize_t)i), "slot", NN_NPY_REAL, (int)tensor.ndim);
        if (array == NULL) return false;
        for (size_t k = 0; k < tensor.ndim; k++)
            fits = fits && (size_t)PyArray_DIM(array, (int)k) == tensor.shape[k];
    }
    if (!fits) PyErr_SetString(PyExc_ValueError, "a slot must hold one array a parameter");
    return fits;
}

/* Fills slot i from arrays that fit. Codes: NN_ERROR_MEMORY. */
static nn_status set_slot(trainer_object *self, nn_optimizer_kind kind, size_t i, PyObject *slot) {
    const nn_network *network = self->network->network;
    if (slot == Py_None) return NN_OK;
    NN_TRY(nn_trainer_keep_slot(self->trainer, kind, i));
    for (size_t k = 0; k < nn_network_n_tensors(network); k++) {
        PyArrayObject *array = (PyArrayObject *)PyList_GET_ITEM(slot, (Py_ssize_t)k);
        memcpy(nn_trainer_slot(self->trainer, i) + nn_network_parameter(network, k).offset,
               PyArray_DATA(array), (size_t)PyArray_NBYTES(array));
    }
    return NN_OK;
}

static PyObject *trainer_set_state(PyObject *object, PyObject *args) {
    trainer_object *self = (trainer_object *)object;
    const char *name;
    PyObject *list;
    if (!PyArg_ParseTuple(args, "sO!:set_state", &name, &PyList_Type, &list)) return NULL;
    int kind = nnpy_find(nn_optimizer_find, "optimizer", name);
    if (kind < 0) return NULL;
    if (PyList_GET_SIZE(list) != NN_OPTIMIZER_SLOTS)
        return PyErr_Format(PyExc_ValueError, "slots must be %d", NN_OPTIMIZER_SLOTS);
    for (Py_ssize_t i = 0; i < NN_OPTIMIZER_SLOTS; i++)
        if (!slot_fits(self->network->network, PyList_GET_ITEM(list, i))) return NULL;
    if (!nnpy_enter(self->network)) return NULL;
    nn_status status = NN_OK;
    nn_trainer_clear(self->trainer);
    for (Py_ssize_t i = 0; status == NN_OK && i < NN_OPTIMIZER_SLOTS; i++)
        status = set_slot(self, (nn_optimizer_kind)kind, (size_t)i, PyList_GET_ITEM(list, i));
    nnpy_leave(self->network);
    if (status != NN_OK) return nnpy_raise(nnpy_state(object), status, NULL);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(clear_doc, "clear($self, /)\n--\n\nForgets the optimiser's state.");

static PyObject *trainer_clear(PyObject *object, PyObject *Py_UNUSED(ignored)) {
    trainer_object *self = (trainer_object *)object;
    if (!nnpy_enter(self->network)) return NULL;
    nn_trainer_clear(self->trainer);
    nnpy_leave(self->network);
    Py_RETURN_NONE;
}

/* ---- the type ------------------------------------------------------------------------------- */

static PyMethodDef methods[] = {
    {"bind", trainer_bind, METH_VARARGS, bind_doc},
    {"prepare", (PyCFunction)(void (*)(void))trainer_prepare, METH_VARARGS | METH_KEYWORDS,
     prepare_doc},
    {"epoch", (PyCFunction)(void (*)(void))trainer_epoch, METH_FASTCALL, epoch_doc},
    {"unbind", trainer_unbind, METH_NOARGS, unbind_doc},
    {"get_state", trainer_get_state, METH_NOARGS, state_doc},
    {"set_state", trainer_set_state, METH_VARARGS, set_state_doc},
    {"clear", trainer_clear, METH_NOARGS, clear_doc},
    {0}};

static PyType_Slot slots[] = {{Py_tp_doc, (void *)trainer_doc},
                              {Py_tp_new, trainer_new},
                              {Py_tp_dealloc, trainer_dealloc},
                              {Py_tp_methods, methods},
                              {0, NULL}};

PyType_Spec nnpy_trainer_spec = {.name = "nnlearn._core.Trainer",
                                 .basicsize = sizeof(trainer_object),
                                 .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                                 .slots = slots};
