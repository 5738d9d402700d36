/* Who may work on a network, and how long: the lock, a fit's claim, the poll function. */
#include "binding/binding.h"

#include <time.h>
#include <unistd.h>

/* Seconds between two looks for signals, and between two calls of progress. */
#define LOOK_EVERY 0.04
#define SHOW_EVERY 0.1

/* Questions to the poll function that go by, at most, between two looks at the clock, where that
 * many took no longer than BRIEF seconds. */
#define MOST_SKIPPED 32
#define BRIEF 2e-4

/* ---- the lock ------------------------------------------------------------------------------- */

/* Was the network at work in the process that this one was forked from? A thread that waits counts:
 * it may have got the lock already, and not yet the GIL to say so. */
static bool forked_at_work(const network_object *self) {
    bool at_work = self->worker != 0 || self->owner != 0 || self->waiting != 0;
    return at_work && self->process != (long)getpid();
}

static bool refuse_forked(const network_object *self) {
    if (!forked_at_work(self)) return false;
    PyErr_SetString(PyExc_RuntimeError, "the network must not be used here: the process was forked "
                                        "while a thread worked on it");
    return true;
}

/* Waits for the lock with the GIL released; looks for signals meanwhile. */
static bool wait_for_lock(network_object *self) {
    PyLockStatus status = PY_LOCK_FAILURE;
    bool calm = true;
    self->waiting += 1;
    self->process = (long)getpid();
    while (calm && status != PY_LOCK_ACQUIRED) {
        Py_BEGIN_ALLOW_THREADS
        status = PyThread_acquire_lock_timed(self->lock, (PY_TIMEOUT_T)(LOOK_EVERY * 1e6), 0);
        Py_END_ALLOW_THREADS
        calm = status == PY_LOCK_ACQUIRED || PyErr_CheckSignals() == 0;
    }
    self->waiting -= 1;
    self->served += 1; /* also when it gave up: nobody need wait for it any more */
    return calm;
}

/* Lets those who wait at this moment go first. A fit comes back for the lock microseconds after it
 * has left, before a sleeping thread wakes: without this its epochs would follow each other. False
 * when a signal's handler has raised. */
static bool let_others_first(network_object *self) {
    const size_t last = self->served + self->waiting;
    const struct timespec moment = {.tv_nsec = 50000};
    while (self->waiting > 0 && self->served < last) {
        Py_BEGIN_ALLOW_THREADS
        nanosleep(&moment, NULL);
        Py_END_ALLOW_THREADS
        if (PyErr_CheckSignals() < 0) return false;
    }
    return true;
}

bool nnpy_enter(network_object *self) {
    unsigned long me = PyThread_get_thread_ident();
    if (refuse_forked(self)) return false;
    if (self->worker == me) {
        PyErr_SetString(PyExc_RuntimeError, "the network must not be used from within its own "
                                            "epoch or evaluation: wait for the epoch's end");
        return false;
    }
    if (self->owner == me && !let_others_first(self)) return false;
    if (!PyThread_acquire_lock(self->lock, NOWAIT_LOCK) && !wait_for_lock(self)) return false;
    if (self->owner != me) self->process = (long)getpid(); /* a claim has noted it */
    self->worker = me;
    return true;
}

bool nnpy_is_owner(const network_object *self) {
    unsigned long me = PyThread_get_thread_ident();
    return self->owner == me && self->worker != me;
}

void nnpy_leave(network_object *self) {
    self->worker = 0;
    PyThread_release_lock(self->lock);
}

/* ---- the claim ------------------------------------------------------------------------------ */

bool nnpy_claim(network_object *self) {
    if (refuse_forked(self)) return false;
    if (self->owner != 0) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the network must be free for this, got one that a fit is training");
        return false;
    }
    self->owner = PyThread_get_thread_ident();
    self->process = (long)getpid();
    atomic_store(&self->stop, 0);
    return true;
}

void nnpy_unclaim(network_object *self) {
    self->owner = 0;
    atomic_store(&self->stop, 0);
}

/* ---- the poll function ---------------------------------------------------------------------- */

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* 1 in the main thread, 0 elsewhere, -1 with an exception. */
static int in_main_thread(const module_state *state) {
    PyObject *thread = PyObject_CallNoArgs(state->main_thread);
    if (thread == NULL) return -1;
    PyObject *ident = PyObject_GetAttrString(thread, "ident");
    Py_DECREF(thread);
    if (ident == NULL) return -1;
    unsigned long main_ident = PyLong_AsUnsignedLong(ident);
    Py_DECREF(ident);
    if (PyErr_Occurred()) return -1;
    return main_ident == PyThread_get_thread_ident();
}

bool nnpy_poll_begin(poller *self, PyObject *object, network_object *network, PyObject *progress) {
    module_state *state = nnpy_state(object);
    int is_main = state != NULL ? in_main_thread(state) : -1;
    if (is_main < 0) return false;
    double now = seconds();
    *self = (poller){
        .is_main = is_main == 1, .next_look = now + LOOK_EVERY, .next_show = now, .last = now};
    if (network != NULL && network->owner == PyThread_get_thread_ident()) self->network = network;
    if (progress != Py_None) self->progress = progress;
    self->thread = PyEval_SaveThread(); /* the GIL is released here */
    return true;
}

void nnpy_poll_end(poller *self) {
    PyEval_RestoreThread(self->thread);
}

/* With the GIL: signals, then progress when it is due. False when something raised. */
static bool look(poller *self, const nn_progress *progress, double now) {
    if (PyErr_CheckSignals() < 0) return false;
    if (self->progress == NULL || now < self->next_show) return true;
    self->next_show = now + SHOW_EVERY;
    PyObject *answer = PyObject_CallFunction(self->progress, "nn", (Py_ssize_t)progress->done,
                                             (Py_ssize_t)progress->total);
    Py_XDECREF(answer);
    return answer != NULL;
}

int nnpy_poll(void *context, const nn_progress *progress) {
    poller *self = context;
    if (self->network != NULL && atomic_load_explicit(&self->network->stop, memory_order_relaxed))
        return 1;
    if (!self->is_main || self->skip-- > 0) return 0;
    double now = seconds();
    const bool brief = now - self->last < BRIEF; /* then let twice as many go by */
    self->period = !brief                            ? 0
                   : self->period < MOST_SKIPPED / 2 ? 2 * self->period + 1
                                                     : MOST_SKIPPED;
    self->skip = self->period;
    self->last = now;
    if (now < self->next_look) return 0;
    PyEval_RestoreThread(self->thread);
    self->raised = !look(self, progress, now);
    self->thread = PyEval_SaveThread();
    self->last = seconds();
    self->next_look = self->last + LOOK_EVERY;
    return self->raised;
}
