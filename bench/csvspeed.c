/* How fast a table is read: from text to float32, block by block, one thread, processor time.
 *
 *   csvspeed FILE.csv      prints rows, columns and MB of text a second */
#include <bprop.h>

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

enum { ROWS_OF_BLOCK = 4096 };

static bp_status read_all(bp_ctx *ctx, const char *path, int64_t *rows, int *columns)
{
  bp_source source;
  bp_csv *csv = NULL;
  const bp_table *t = NULL;
  bp_status s = bp_source_file(ctx, path, &source);
  if (s != BP_OK)
    return s;
  s = bp_csv_open(ctx, &source, NULL, &csv);
  for (bool more = true; s == BP_OK && more;) {
    s = bp_csv_block(csv, ROWS_OF_BLOCK, &t);
    more = s == BP_OK && bp_table_rows(t) > 0;
    *rows += more ? bp_table_rows(t) : 0;
    *columns = more ? bp_table_columns(t) : *columns;
  }
  bp_csv_close(csv);
  bp_source_close(&source);
  return s;
}

int main(int argc, char **argv)
{
  struct stat file;
  int64_t rows = 0;
  int columns = 0;
  if (argc != 2 || stat(argv[1], &file) != 0) {
    fputs("usage: csvspeed FILE.csv\n", stderr);
    return 2;
  }
  bp_ctx *ctx = bp_ctx_new(NULL);
  clock_t begun = clock();
  bp_status s = read_all(ctx, argv[1], &rows, &columns);
  double took = (double)(clock() - begun) / CLOCKS_PER_SEC;
  if (s == BP_OK)
    printf("%lld rows, %d columns, %.0f MB/s\n", (long long)rows, columns,
           1e-6 * (double)file.st_size / took);
  else
    fprintf(stderr, "csvspeed: %s\n", bp_error());
  bp_ctx_free(ctx);
  return s == BP_OK ? 0 : 1;
}
