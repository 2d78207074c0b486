/* What every contestant written in C shares: time, and a conversation of lines with bench/run.
 *
 *   open ID KIND KEY=VALUE...   makes a piece of work ready        -> ok [KEY=VALUE...] | no REASON
 *   run ID N                    N repetitions                      -> SECONDS
 *   check ID PATH               what it computes, for comparing    -> ok [KEY=VALUE...]
 *   close ID                                                       -> ok
 *
 * bench/peers/protocol.py is the same for Python. Contestants never print anything else on standard output. */
#ifndef BENCH_HOUSE_H
#define BENCH_HOUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Seconds on a clock that never goes back. */
double now(void);
/* Ends the program with a message when memory is out; zeros. */
void *zeros(size_t n, size_t size);
/* The same, on 64 bytes; freed with free. */
void *zeros_aligned(size_t n, size_t size);

/* ---- a request: KEY=VALUE words ---- */

enum { REQUEST_WORDS = 32 };
typedef struct request {
  int n;
  const char *key[REQUEST_WORDS], *value[REQUEST_WORDS];
} request;

const char *request_text(const request *r, const char *key, const char *preset);
double request_real(const request *r, const char *key, double preset);
long request_count(const request *r, const char *key, long preset);
/* "784x128,128x10" as pairs; returns how many, at most `most`; 0 for what is none. */
int read_layers(const char *text, int64_t *fan_in, int64_t *out, int most);

/* ---- a network to be trained or asked, as all contestants get it ---- */

enum { NET_LAYERS = 8 };
typedef struct net_work {
  int layers;                                          /* that have weights */
  int64_t inputs, fan_in[NET_LAYERS], out[NET_LAYERS]; /* of each: its weights are [out, fan_in] */
  int64_t batch, rows, n_params;                       /* rows: a multiple of batch */
  bool adam;
  double lr;
  int threads;
  float *x;        /* [rows, inputs] */
  int64_t *labels; /* [rows] */
  float *params;   /* for each layer W [out, in], then b [out] */
} net_work;

/* Reads the request and its files DIR/x.f32, labels.i64, params.f32. False with a reason in `why`. */
bool net_work_open(net_work *w, const request *r, const char **why);
void net_work_close(net_work *w);

/* Whole files of raw numbers in this machine's order. read_raw: NULL unless there are n. */
void *read_raw(const char *path, size_t n, size_t size);
bool write_raw(const char *path, const void *data, size_t n, size_t size);

/* ---- serving ---- */

typedef struct work_kind {
  const char *name;
  void *(*open)(const request *r, const char **why); /* NULL: refused, and why */
  /* Seconds that n repetitions took. Training begins with the first weights each time, before the clock runs: so all do the same work
   * however often they had their turn, and no moments fade into subnormal numbers. */
  double (*run)(void *work, long n);
  /* Writes numbers to path, KEY=VALUE words to `said` (`room` bytes). NULL: there is nothing to compare. */
  bool (*check)(void *work, const char *path, char *said, size_t room);
  void (*close)(void *work);
} work_kind;

/* Talks until standard input ends. `note` is the first line: name and version of the contestant. */
int serve(const char *note, const work_kind *kinds, size_t n);

#endif
