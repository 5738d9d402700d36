/* The number type of this build. The same files are compiled twice: as float (the default), and
 * as double with -DNN_DOUBLE. Sums over many samples accumulate in double in both. */
#ifndef NN_BASE_REAL_H
#define NN_BASE_REAL_H

#ifdef NN_DOUBLE
typedef double nn_real;
#else
typedef float nn_real;
#endif

#endif
