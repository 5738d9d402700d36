/* The module nnlearn._core (float32) or nnlearn._core64 (double): the same files, built twice. */
#define NN_BINDING_IMPORTS_ARRAY
#include "binding/binding.h"

#define TEXT_OF(name) #name
#define TEXT(name) TEXT_OF(name)
#define INIT_OF(name) PyInit_##name
#define INIT(name) INIT_OF(name)

/* ---- functions ------------------------------------------------------------------------------ */

PyDoc_STRVAR(info_doc, "info($module, /)\n--\n\n"
                       "What this core is built with and runs on: a dict of texts.");

static PyObject *core_info(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored)) {
    return Py_BuildValue("{ssssssss}", "precision", sizeof(nn_real) == 4 ? "float32" : "float64",
                         "kernels", nn_kernels(), "blis", nn_blis_version(), "blis_kernels",
                         nn_blis_kernels());
}

PyDoc_STRVAR(names_doc, "names($module, list, /)\n--\n\n"
                        "The names of a list, as a tuple: 'layer', 'activation', 'init', 'cost',\n"
                        "'optimizer' or 'augment'.");

typedef const char *name_function(int code);

/* The function that names the codes of a list, NULL for a foreign list. */
static name_function *names_of(const char *list) {
    static const struct {
        const char *list;
        name_function *name;
    } lists[] = {{"layer", nn_layer_name},         {"activation", nn_activation_name},
                 {"init", nn_init_name},           {"cost", nn_cost_name},
                 {"optimizer", nn_optimizer_name}, {"augment", nn_augment_name}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (strcmp(lists[i].list, list) == 0) return lists[i].name;
    return NULL;
}

static PyObject *core_names(PyObject *Py_UNUSED(module), PyObject *args) {
    const char *list;
    if (!PyArg_ParseTuple(args, "s:names", &list)) return NULL;
    name_function *name = names_of(list);
    if (name == NULL) return PyErr_Format(PyExc_ValueError, "no list is named '%s'", list);
    PyObject *names = PyList_New(0);
    for (int code = 0; names != NULL && name(code) != NULL; code++) {
        PyObject *text = PyUnicode_FromString(name(code));
        if (text == NULL || PyList_Append(names, text) < 0) Py_CLEAR(names);
        Py_XDECREF(text);
    }
    if (names == NULL) return NULL;
    PyObject *tuple = PyList_AsTuple(names);
    Py_DECREF(names);
    return tuple;
}

PyDoc_STRVAR(pair_doc, "pair($module, cost, output, /)\n--\n\n"
                       "The fewest outputs with which this cost goes with this output activation;\n"
                       "0 when it does not.");

static PyObject *core_pair(PyObject *Py_UNUSED(module), PyObject *args) {
    const char *cost_name, *output_name;
    if (!PyArg_ParseTuple(args, "ss:pair", &cost_name, &output_name)) return NULL;
    int cost = nnpy_find(nn_cost_find, "cost", cost_name);
    int output = cost < 0 ? -1 : nnpy_find(nn_activation_find, "output", output_name);
    if (output < 0) return NULL;
    return PyLong_FromSize_t(nn_cost_pair((nn_cost)cost, (nn_activation)output));
}

PyDoc_STRVAR(count_doc, "allocation_count($module, /)\n--\n\n"
                        "Calls of the core's allocator so far.");

static PyObject *core_allocation_count(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored)) {
    return PyLong_FromSize_t(nn_allocation_count());
}

PyDoc_STRVAR(fail_doc, "fail_allocation_at($module, k, /)\n--\n\n"
                       "For tests: the k-th allocation from now on fails; 0 switches this off.");

static PyObject *core_fail_allocation_at(PyObject *Py_UNUSED(module), PyObject *args) {
    Py_ssize_t k;
    if (!PyArg_ParseTuple(args, "n:fail_allocation_at", &k)) return NULL;
    nn_allocation_fail_at(k > 0 ? (size_t)k : 0);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"info", core_info, METH_NOARGS, info_doc},
    {"names", core_names, METH_VARARGS, names_doc},
    {"pair", core_pair, METH_VARARGS, pair_doc},
    {"allocation_count", core_allocation_count, METH_NOARGS, count_doc},
    {"fail_allocation_at", core_fail_allocation_at, METH_VARARGS, fail_doc},
    {0}};

/* ---- state ---------------------------------------------------------------------------------- */

module_state *nnpy_state(PyObject *self) {
    return PyType_GetModuleState(Py_TYPE(self));
}

static int traverse(PyObject *module, visitproc visit, void *arg) {
    module_state *state = PyModule_GetState(module);
#define NN_VISIT(member) Py_VISIT(state->member);
    NN_MODULE_STATE(NN_VISIT)
#undef NN_VISIT
    return 0;
}

static int clear(PyObject *module) {
    module_state *state = PyModule_GetState(module);
#define NN_CLEAR(member) Py_CLEAR(state->member);
    NN_MODULE_STATE(NN_CLEAR)
#undef NN_CLEAR
    return 0;
}

/* Makes a type, keeps it in *place and adds it to the module. */
static bool add_type(PyObject *module, PyType_Spec *spec, PyObject **place) {
    *place = PyType_FromModuleAndSpec(module, spec, NULL);
    return *place != NULL && PyModule_AddType(module, (PyTypeObject *)*place) == 0;
}

/* threading.main_thread, kept for the poll function. */
static bool keep_main_thread(module_state *state) {
    PyObject *threading = PyImport_ImportModule("threading");
    if (threading == NULL) return false;
    state->main_thread = PyObject_GetAttrString(threading, "main_thread");
    Py_DECREF(threading);
    return state->main_thread != NULL;
}

/* NumPy and what this core keeps of the process serve one interpreter. Python 3.12 refuses others
 * by itself only where they have a GIL of their own. False with ImportError. */
static bool in_main_interpreter(void) {
    if (PyInterpreterState_Get() == PyInterpreterState_Main()) return true;
    PyErr_SetString(PyExc_ImportError, "nnlearn must be imported in the main interpreter");
    return false;
}

/* ImportError with why nn_start failed. */
static void raise_start(nn_status status) {
    const char *word = getenv("NNLEARN_KERNELS"), *rule = word ? nn_kernels_rule(word) : NULL;
    if (status != NN_ERROR_KERNELS)
        PyErr_SetString(PyExc_ImportError, nn_status_text(status));
    else if (rule != NULL)
        PyErr_Format(PyExc_ImportError, "NNLEARN_KERNELS must be %s, got '%s'", rule, word);
    else /* it was changed after a first import that failed */
        PyErr_SetString(PyExc_ImportError, "NNLEARN_KERNELS is read once: start Python anew");
}

/* Makes an exception of the module; its name begins with a module's. False with an exception. */
static bool add_error(PyObject *module, const char *name, const char *doc, PyObject *base,
                      PyObject **error) {
    *error = PyErr_NewExceptionWithDoc(name, doc, base, NULL);
    return *error != NULL && PyModule_AddObjectRef(module, strrchr(name, '.') + 1, *error) == 0;
}

static int exec(PyObject *module) {
    if (!in_main_interpreter()) return -1;
    import_array1(-1);
    module_state *state = PyModule_GetState(module);
    nn_status status = nn_start();
    if (status != NN_OK) {
        raise_start(status);
        return -1;
    }
    if (!add_type(module, &nnpy_network_spec, &state->network_type) ||
        !add_type(module, &nnpy_data_spec, &state->data_type) ||
        !add_type(module, &nnpy_sparse_spec, &state->sparse_type) ||
        !add_type(module, &nnpy_trainer_spec, &state->trainer_type) || !keep_main_thread(state))
        return -1;
    if (!add_error(module, "nnlearn._core.Stopped", "A call was ended by stop().", NULL,
                   &state->stopped_error) ||
        !add_error(module, "nnlearn._core.NumberError",
                   "A number of x is NaN, infinite or above Data's most.", PyExc_ValueError,
                   &state->number_error))
        return -1;
    return PyModule_AddStringConstant(module, "__version__", NN_VERSION);
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, exec},
#ifdef Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL}};

static struct PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                                        .m_name = "nnlearn." TEXT(NN_MODULE_NAME),
                                        .m_doc = "nnlearn's core.",
                                        .m_size = sizeof(module_state),
                                        .m_methods = functions,
                                        .m_slots = module_slots,
                                        .m_traverse = traverse,
                                        .m_clear = clear};

PyMODINIT_FUNC INIT(NN_MODULE_NAME)(void);

PyMODINIT_FUNC INIT(NN_MODULE_NAME)(void) {
    return PyModuleDef_Init(&definition);
}
