#include "npzfile.h"
#include "options.h"
#include "zipfile.h"

#include <stdio.h>
#include <string.h>

static const char *const example_names[] = {"x_train", "x",        "X",      "data",  "images",
                                            "inputs",  "features", "x_test", "arr_0", NULL};
static const char *const answer_names[] = {"y_train", "y",      "Y",     "labels", "target",
                                           "targets", "y_test", "arr_1", NULL};
static const char *const example_tests[] = {"x_test", NULL}, *const answer_tests[] = {"y_test", NULL};

static bool is_called(const zip_member *m, const char *name)
{
  size_t n = strlen(name);
  return strncmp(m->name, name, n) == 0 && (!strcmp(m->name + n, ".npy") || !m->name[n]);
}

static const zip_member *find(const zip *z, const char *const *names)
{
  for (; *names; names++)
    for (int64_t i = 0; i < z->n; i++)
      if (is_called(&z->members[i], *names))
        return &z->members[i];
  return NULL;
}

static int read_member(bp_ctx *ctx, const zip *z, const zip_member *m, bp_ndarray *out)
{
  char name[4096];
  bp_source source;
  snprintf(name, sizeof name, "%s: %s", z->path, m->name);
  int end = zip_source(z, m, name, &source);
  if (end)
    return end;
  bp_status st = bp_npy_read(ctx, &source, out);
  bp_source_close(&source);
  return st == BP_OK ? END_DONE : fail_status(st, END_DATA);
}

static int no_array(const zip *z, const char *what, const char *names)
{
  char list[400] = "";
  for (int64_t i = 0; i < z->n && strlen(list) < 300; i++)
    snprintf(list + strlen(list), sizeof list - strlen(list), "%s%.60s", i ? ", " : "", z->members[i].name);
  return fail(END_DATA, "%s: which array holds the %s? One called %s is wanted, and there are: %s", z->path,
              what, names, shown(list));
}

static int read_pair(bp_ctx *ctx, const zip *z, bool test, bp_ndarray *x, bp_ndarray *y)
{
  const zip_member *mx = test ? find(z, example_tests) : NULL, *my = test ? find(z, answer_tests) : NULL;
  mx = mx ? mx : find(z, example_names);
  my = my ? my : find(z, answer_names);
  if (!mx && z->n == (y ? 2 : 1))
    mx = &z->members[0];
  if (!my && z->n == 2)
    my = &z->members[mx == &z->members[0]];
  if (!mx)
    return no_array(z, "examples", "x, images, data or x_train");
  if (y && !my)
    return no_array(z, "answers", "y, labels, target or y_train");
  int end = read_member(ctx, z, mx, x);
  return end || !y ? end : read_member(ctx, z, my, y);
}

int npz_read(bp_ctx *ctx, const char *path, bool test, bp_ndarray *x, bp_ndarray *y)
{
  zip z;
  int end = zip_open(&z, path);
  if (!end)
    end = read_pair(ctx, &z, test, x, y);
  zip_close(&z);
  return end;
}
