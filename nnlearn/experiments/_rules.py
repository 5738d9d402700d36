"""How reports are read, in words."""

#: When a quoted number agrees, and a claim holds.
RULES = (
    "A quoted number of the last epoch agrees if it lies within 2 sd sqrt(1 + 1/k) of the mean of "
    "the k seeds, two standard deviations of the distance between one more run and that mean; so "
    "does another number of one run, such as its best epoch, beside the same of each seed. The "
    "best of three runs is compared with the best of three drawn from the seeds; validation with "
    "validation, test with test. Half a unit of the last digit printed is allowed for as well. "
    "Where there is no chance, the printed digits are compared. Numbers that nobody printed, but "
    "that follow from what was printed, are counted apart, as replayed.",
    "A claim holds if the mean of the k differences, seed by seed, is above 0, and so far that the "
    "probability of it would be below 5 % were there no difference, by Student's t: that is 2.8 "
    "standard errors for k = 5, 4.3 for k = 3, 12.7 for k = 2. Of many claims without truth some "
    "would hold by chance, one in forty. A seed that diverges is counted, never dropped; a run is "
    "stuck if it never predicts some class of the test set.",
)

#: What stands in the tables of a report.
COLUMNS = (
    "In the tables sd is the standard deviation over the seeds, and seeds counts them, with those "
    "that were stuck or diverged. One seed alone shows nothing of a claim.",
)
