/* Data sets from CSV of any size: in memory while they fit what was allowed, else in a spool file. */
#include "train/spool.h"
#include "base/twice.h"
#include "data/csv.h"

enum { BYTES_OF_A_VALUE = 12 }; /* a double in the table, and a float in the data set */

static bp_status stream_data(bp_ctx *ctx, bp_csv *c, bool large, const bp_data_options *o, bp_data **out)
{
  bp_table *t = NULL;
  bool over = large;
  bp_status s = large ? BP_OK : bpi_csv_whole(c, o->memory / BYTES_OF_A_VALUE, &over, &t);
  if (s != BP_OK)
    return s;
  if (over) {
    bpi_log(ctx, BP_LOG_INFO, "the data do not fit %lld bytes of memory: their rows go to a temporary file",
            (long long)o->memory);
    return bpi_spool_csv(ctx, c, o, o->memory, out);
  }
  *out = bp_data_from_table(ctx, t, o);
  bp_table_free(t);
  return *out ? BP_OK : BP_E_FORMAT;
}

bp_data *bp_data_from_csv(bp_ctx *ctx, bp_source *source, const bp_csv_options *csv,
                          const bp_data_options *options)
{
  bp_data_options o = options ? *options : (bp_data_options){0};
  bp_data *d = NULL;
  bp_source twice;
  bp_csv *c;
  if (!ctx || !source || !source->read || o.memory < 0) {
    bpi_bad_arg("bp_data_from_csv", "ctx or source is NULL, or memory is negative");
    return NULL;
  }
  if (bpi_twice(ctx, source, &twice) != BP_OK)
    return NULL;
  if (bp_csv_open(ctx, &twice, csv, &c) == BP_OK) {
    /* Of a text that is larger than the memory there is no use in trying. */
    if (stream_data(ctx, c, o.memory && source->size > o.memory, &o, &d) != BP_OK)
      d = NULL;
    bp_csv_close(c);
  }
  bp_source_close(&twice);
  return d;
}

bp_data *bp_data_load_csv(bp_ctx *ctx, const char *path, const char *target)
{
  bp_source source;
  if (bp_source_file(ctx, path, &source) != BP_OK)
    return NULL;
  bp_data *d = bp_data_from_csv(ctx, &source, NULL, &(bp_data_options){.target = target});
  bp_source_close(&source);
  return d;
}
