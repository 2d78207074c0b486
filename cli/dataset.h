/* Data with known answers: to train on, and to measure a network on. */
#ifndef CLI_DATASET_H
#define CLI_DATASET_H

#include "options.h"

/* Data to train on. END_USAGE, END_DATA, END_RESOURCES, told. */
int dataset_read(bp_ctx *ctx, const settings *s, const char *const *files, int n, bp_data **out);
/* Data in the columns and classes of a network. target: NULL: the network's. */
int dataset_read_for(bp_ctx *ctx, const settings *s, const bp_net *net, const char *const *files, int n,
                     const char *target, bp_data **out);
/* Bytes that data may take in memory. */
int64_t memory_for_data(const settings *s);
/* Tells values of these rows that training did not see. what: "new.csv", or "the test rows". */
void tell_unseen(const char *what, const bp_net *net, const bp_unseen *u);
/* What output i is called: a class, or a target; its number where it has no name. Lasts until the next call. */
const char *output_text(const bp_net *net, int64_t i);
/* Name of class i; its number where it has none. Lasts until the next call. */
const char *class_text(const bp_net *net, int64_t i);

#endif
