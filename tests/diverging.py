"""Training that diverges, for the tests of what experiments make of it."""

import functools

from nnlearn import Network

#: A rate by which weights overflow in the first epoch.
_TOO_HIGH = 1e38
#: Weights by which the sums of the last layer overflow.
_TOO_LARGE = 3e38


def let_diverge(monkeypatch, seeds=None, *, after=0):
    """Let each fit of networks of digits with these seeds (None: all) really diverge.

    In the first epoch, or once `after` epochs are done, where there are as many.
    """
    fit = Network.fit

    def overflow(net, history):
        if len(history) == after:
            net.weights[-1] = 0.0 * net.weights[-1] + _TOO_LARGE

    @functools.wraps(fit)
    def diverging(net, x, *args, **settings):
        ill = seeds is None or net.seed in seeds
        if ill and net.weights[0].shape[0] == 784:
            if not after or settings.get("epochs") == 1:
                settings["learning_rate"] = _TOO_HIGH
            else:
                given = settings.get("callbacks", ())
                given = [given] if callable(given) else [*given]
                settings["callbacks"] = [overflow, *given]
        return fit(net, x, *args, **settings)

    monkeypatch.setattr(Network, "fit", diverging)
