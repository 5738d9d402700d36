"""Data expansion: images changed at random, on the fly in `fit` or as arrays.

`Shift`, `Rotate`, `Skew`, `Scale` and `Elastic` each change an image by numbers drawn for it;
`Compose` puts them together. With ``fit(..., augment=part)`` every row is changed anew in every
epoch; ``part(x, seed=0)`` gives an array of changed images. `expand` appends copies shifted by
whole pixels, `preview` shows variants of an image.
"""

from nnlearn.augment.expansion import expand
from nnlearn.augment.parts import Augmentation, Compose, Elastic, Rotate, Scale, Shift, Skew
from nnlearn.augment.variants import Preview, preview

__all__ = [
    "Augmentation",
    "Compose",
    "Elastic",
    "Preview",
    "Rotate",
    "Scale",
    "Shift",
    "Skew",
    "expand",
    "preview",
]
