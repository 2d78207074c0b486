#include "house.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void *zeros(size_t n, size_t size)
{
  void *p = calloc(n ? n : 1, size);
  if (!p) {
    fputs("bench: out of memory\n", stderr);
    exit(1);
  }
  return p;
}

void *zeros_aligned(size_t n, size_t size)
{
  size_t bytes = (n * size + 127) & ~(size_t)63;
  void *p = aligned_alloc(64, bytes);
  if (!p) {
    fputs("bench: out of memory\n", stderr);
    exit(1);
  }
  return memset(p, 0, bytes);
}

/* ---- requests ---- */

const char *request_text(const request *r, const char *key, const char *preset)
{
  for (int i = 0; i < r->n; i++)
    if (strcmp(r->key[i], key) == 0)
      return r->value[i];
  return preset;
}

double request_real(const request *r, const char *key, double preset)
{
  const char *text = request_text(r, key, NULL);
  return text ? strtod(text, NULL) : preset;
}

long request_count(const request *r, const char *key, long preset)
{
  const char *text = request_text(r, key, NULL);
  return text ? strtol(text, NULL, 10) : preset;
}

int read_layers(const char *text, int64_t *fan_in, int64_t *out, int most)
{
  int n = 0, used = 0;
  for (; *text && n < most; n++, text += used) {
    long long a, b;
    used = 0;
    if (sscanf(text, "%lldx%lld%n,%n", &a, &b, &used, &used) < 2 || a < 1 || b < 1)
      return 0;
    fan_in[n] = a;
    out[n] = b;
  }
  return n;
}

static bool split_word(request *r, char *word)
{
  char *equals = strchr(word, '=');
  if (!equals || r->n == REQUEST_WORDS)
    return false;
  *equals = 0;
  r->key[r->n] = word;
  r->value[r->n++] = equals + 1;
  return true;
}

/* ---- files ---- */

void *read_raw(const char *path, size_t n, size_t size)
{
  FILE *f = fopen(path, "rb");
  void *data = f ? zeros_aligned(n, size) : NULL;
  if (data && fread(data, size, n, f) != n) {
    free(data);
    data = NULL;
  }
  if (f)
    fclose(f);
  return data;
}

bool write_raw(const char *path, const void *data, size_t n, size_t size)
{
  FILE *f = fopen(path, "wb");
  bool good = f && fwrite(data, size, n, f) == n;
  if (f)
    good = fclose(f) == 0 && good;
  return good;
}

static void *read_part(const request *r, const char *name, int64_t n, size_t size)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", request_text(r, "dir", "."), name);
  return read_raw(path, (size_t)n, size);
}

bool net_work_open(net_work *w, const request *r, const char **why)
{
  *w = (net_work){.inputs = request_count(r, "inputs", 1),
                  .batch = request_count(r, "batch", 1),
                  .rows = request_count(r, "rows", 1),
                  .lr = request_real(r, "lr", 0.1),
                  .adam = strcmp(request_text(r, "optimizer", "sgd"), "adam") == 0,
                  .threads = (int)request_count(r, "threads", 1)};
  w->layers = read_layers(request_text(r, "layers", ""), w->fan_in, w->out, NET_LAYERS);
  for (int k = 0; k < w->layers; k++)
    w->n_params += (w->fan_in[k] + 1) * w->out[k];
  w->x = read_part(r, "x.f32", w->rows * w->inputs, sizeof(float));
  w->labels = read_part(r, "labels.i64", w->rows, sizeof(int64_t));
  w->params = read_part(r, "params.f32", w->n_params, sizeof(float));
  if (w->layers > 0 && w->x && w->labels && w->params)
    return true;
  *why = "its data cannot be read";
  net_work_close(w);
  return false;
}

void net_work_close(net_work *w)
{
  free(w->x);
  free(w->labels);
  free(w->params);
  *w = (net_work){0};
}

/* ---- the conversation ---- */

enum { OPEN_WORKS = 64, LINE = 4096 };
typedef struct open_work {
  const work_kind *kind;
  void *work;
} open_work;

static void answer_open(open_work *w, const work_kind *kinds, size_t n, char *words)
{
  char *save = NULL, *name = strtok_r(words, " \n", &save);
  const char *why = "no such kind of work";
  request r = {0};
  for (char *word; (word = strtok_r(NULL, " \n", &save));)
    split_word(&r, word);
  *w = (open_work){0};
  for (size_t i = 0; i < n && name; i++)
    if (strcmp(kinds[i].name, name) == 0) {
      w->work = kinds[i].open(&r, &why);
      w->kind = w->work ? &kinds[i] : NULL;
    }
  if (w->kind)
    puts("ok");
  else
    printf("no %s\n", why);
}

static void answer(open_work *w, const char *verb, char *rest)
{
  char said[1024] = "";
  if (strcmp(verb, "run") == 0)
    printf("%.9g\n", w->kind->run(w->work, strtol(rest, NULL, 10)));
  else if (strcmp(verb, "check") == 0)
    printf("%s %s\n",
           w->kind->check && w->kind->check(w->work, strtok(rest, "\n"), said, sizeof said) ? "ok" : "no",
           said);
  else if (strcmp(verb, "close") == 0) {
    w->kind->close(w->work);
    *w = (open_work){0};
    puts("ok");
  } else
    puts("no such request");
}

int serve(const char *note, const work_kind *kinds, size_t n)
{
  static open_work works[OPEN_WORKS];
  static char line[LINE];
  puts(note);
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    char verb[16] = "";
    int id = -1, at = 0;
    sscanf(line, "%15s %d %n", verb, &id, &at);
    if (id < 0 || id >= OPEN_WORKS)
      puts("no such number");
    else if (strcmp(verb, "open") == 0)
      answer_open(&works[id], kinds, n, line + at);
    else if (!works[id].kind)
      puts("no such work is open");
    else
      answer(&works[id], verb, line + at);
    fflush(stdout);
  }
  return 0;
}
