/* About how long things take, in nanoseconds on one thread: for deciding how many threads a piece of work is worth, and for nothing else.
 *
 * Measured with bench/sharing on a 3 to 4 GHz processor with AVX-512; an older one takes up to three times as long and then shares out
 * a little less than would pay. Sharing out too early costs more than sharing out too late: what a second thread computes has to come back
 * through a shared cache. */
#ifndef BPI_COST_H
#define BPI_COST_H

#define BPI_NS_SHARE 800.0 /* work that is worth a thread of its own: five times a fork and join of 150 ns */
#define BPI_NS_ELEMENT \
  0.1 /* one elementwise step, one element: 0.03 for sums and products, 0.25 for exp and tanh */
#define BPI_NS_MOVE   0.3   /* one element of a strided copy */
#define BPI_NS_SUM    0.05  /* one element that is summed up */
#define BPI_NS_FLOP32 0.008 /* float32 in a matrix product, 125 a nanosecond; float64 takes twice as long */
#define BPI_NS_BYTE   0.016 /* to or from the second level of cache */

/* Of C[m,n] = A[m,k] B[k,n]: its arithmetic, or reading and writing, whichever takes longer. elem: bytes of an element. */
static inline double bpi_product_ns(double m, double n, double k, double elem)
{
  double flops = 2 * m * n * k * BPI_NS_FLOP32 * elem / 4,
         bytes = (m * k + k * n + m * n) * elem * BPI_NS_BYTE;
  return flops > bytes ? flops : bytes;
}

#endif
