/* A whole program on nnlearn: a network learns XOR, the smallest problem that needs a hidden layer.
 *
 *     x0 x1   class           x0 --+-> [4 tanh units] --> [1 sigmoid unit] --> a, the probability
 *      0  0     0             x1 --+                                            of class 1
 *      0  1     1
 *      1  0     1
 *      1  1     0
 *
 * It uses nnlearn.h alone. Compile it with -I for the folder csrc, and link it with the objects of
 * csrc (those of csrc/binding aside), BLIS, -lm and -lpthread. */
#include <stdio.h>
#include <stdlib.h>

#include "public/nnlearn.h"

enum { N_ROWS = 4, N_INPUTS = 2, N_HIDDEN = 4, N_CLASSES = 2, MOST_EPOCHS = 2000 };

/* The inputs: one sample a row. nnlearn reads them where they are, so they must stay. */
static const nn_real x[N_ROWS][N_INPUTS] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};

/* The class of each sample. One output unit tells two classes apart, 0 and 1. */
static const int32_t labels[N_ROWS] = {0, 1, 1, 0};

/* What the program owns. All start as NULL, which every _free function takes. */
static nn_network *network;
static nn_data *data;
static nn_trainer *trainer;

static void free_all(void) {
    nn_trainer_free(trainer); /* before its network and its data, which it points to */
    nn_data_free(data);
    nn_network_free(network);
}

/* Ends the program with the text of a status that is not NN_OK. */
static void require(nn_status status, const char *doing) {
    if (status == NN_OK) return;
    fprintf(stderr, "%s: %s\n", doing, nn_status_text(status));
    free_all();
    exit(EXIT_FAILURE);
}

static void make_network(void) {
    const nn_layer layers[] = {
        nn_dense(N_HIDDEN, NN_ACTIVATION_TANH),
        nn_dense(1, NN_ACTIVATION_SIGMOID),
    };
    const uint64_t seed = 1; /* of the start weights: the same seed, the same network */
    require(nn_network_create(&network, N_INPUTS, layers, sizeof layers / sizeof *layers,
                              NN_COST_CROSS_ENTROPY, seed),
            "making the network");
}

static void wrap_data(void) {
    const nn_input input = {
        .values = x,
        .dtype = sizeof(nn_real) == sizeof(float) ? NN_DTYPE_FLOAT32 : NN_DTYPE_FLOAT64,
        .n_rows = N_ROWS,
        .n_columns = N_INPUTS,
        .row_stride = sizeof x[0], /* in bytes */
    };
    require(nn_data_create(&data, &input), "wrapping the inputs");
    require(nn_data_set_labels(data, labels, N_CLASSES), "copying the labels");
}

/* Trains until the loss is small. Returns the number of epochs it took. */
static size_t train(void) {
    nn_epoch settings = nn_epoch_defaults();
    settings.optimizer.learning_rate = 0.5;
    settings.optimizer.momentum = 0.9;
    settings.seed = 1; /* of the order of the samples, which is another in every epoch */

    require(nn_trainer_create(&trainer, network), "making the trainer");
    require(nn_trainer_bind(trainer, data, N_ROWS, &settings.optimizer), "binding it to the data");

    for (size_t epoch = 1; epoch <= MOST_EPOCHS; epoch++) {
        nn_epoch_result result;
        require(nn_train_epoch(trainer, &settings, &result), "training");
        if (epoch % 20 == 0) printf("epoch %4zu   loss %.4f\n", epoch, result.loss);
        if (result.loss < 0.01) return epoch;
    }
    return MOST_EPOCHS;
}

/* Prints what the network makes of each sample. */
static void show_predictions(void) {
    nn_real a[N_ROWS];
    int64_t classes[N_ROWS];
    require(nn_forward(network, data, a, NULL, NULL), "computing the outputs");
    require(nn_predict(network, data, classes, NULL, NULL), "predicting");
    for (size_t i = 0; i < N_ROWS; i++)
        printf("%g xor %g = %d   (%.4f)\n", (double)x[i][0], (double)x[i][1], (int)classes[i],
               (double)a[i]);
}

int main(void) {
    make_network();
    wrap_data();
    size_t n_epochs = train();
    show_predictions();

    nn_evaluation evaluation;
    require(nn_evaluate(network, data, NN_COST_CROSS_ENTROPY, &evaluation, NULL, NULL),
            "evaluating");
    printf("after %zu epochs: loss %.4f, accuracy %g %%\n", n_epochs, evaluation.loss,
           100 * evaluation.accuracy);
    free_all();
    return evaluation.accuracy == 1.0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
