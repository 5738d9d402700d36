#include "base/status.h"

#include <stddef.h>

const char *nn_status_text(nn_status status) {
#define NN_STATUS_ROW(name, text) text,
    static const char *const texts[] = {NN_STATUS_TABLE(NN_STATUS_ROW)};
#undef NN_STATUS_ROW
    size_t n_texts = sizeof texts / sizeof *texts;
    return (size_t)status < n_texts ? texts[status] : "unknown status";
}
