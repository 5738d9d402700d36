"""How reports are read, in words."""

#: When a quoted number agrees, and a claim holds.
RULES = (
    "A quoted number of the last epoch agrees if it lies within 2 sd sqrt(1 + 1/k) of the mean of "
    "the k seeds, two standard deviations of the distance between one more run and that mean; so "
    "does another number of one run, such as its best epoch, beside the same of each seed. The "
    "best of three runs is compared with the best of three drawn from the seeds; validation with "
    "validation, test with test. Where there is no chance, the printed digits are compared.",
    "A claim holds if the mean of the differences, seed by seed, is more than two standard errors "
    "above 0. A seed that diverges is counted, never dropped; a run is stuck if it never predicts "
    "some class of the test set.",
)

#: What stands in the tables of a report.
COLUMNS = (
    "In the tables sd is the standard deviation over the seeds, and seeds counts them, with those "
    "that were stuck or diverged. With few seeds a claim that holds is weakly held: two that are "
    "both for it are enough, and one shows nothing.",
)
