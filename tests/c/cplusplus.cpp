// A user of the core who writes C++: exit code 0 when every part of nnlearn.h links and works.
#include <cstring>

#include "public/nnlearn.h"

int main() {
    const nn_layer layers[] = {nn_dense(2, NN_ACTIVATION_SIGMOID)};
    nn_network *network = nullptr;
    nn_status status = nn_network_create(&network, 3, layers, 1, NN_COST_CROSS_ENTROPY, 1);
    const bool right = status == NN_OK && nn_network_n_outputs(network) == 2 &&
                       std::strcmp(nn_status_text(status), "no error") == 0 &&
                       nn_layer_find(nn_layer_name(NN_LAYER_DROPOUT)) == NN_LAYER_DROPOUT;
    nn_network_free(network);
    return right ? 0 : 1;
}
