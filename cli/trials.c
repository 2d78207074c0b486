#include "trials.h"
#include "progress.h"
#include "stopwatch.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_MS = 500 };

/* A process at work. Its report comes through a pipe; what it prints goes to memory. */
typedef struct worker {
  trial *t; /* NULL: free */
  pid_t pid;
  int from, out, err;
} worker;

typedef struct crew {
  const trials_order *o;
  worker *at;
  int64_t n, busy;
} crew;

/* ---- the child ---- */

/* What the file brings is not given again. */
static int train_further(trial *t, const trial_order *order, trial_report *r)
{
  settings s = t->s;
  s.given = calloc(option_count, 1);
  if (!s.given)
    return fail_memory();
  for (size_t i = 0; i < option_count; i++)
    s.given[i] = t->s.given[i] && options[i].aside;
  s.resume = t->file;
  s.n_inputs = 0;
  int end = train_trial(&s, order, r);
  free(s.given);
  return end;
}

/* A training that was killed when it had come to the end of this part, and had not said so to the history, has gone too far: what it had reached there is
 * in no file. */
static bool can_go_on(const trial *t, const trial_order *order)
{
  int64_t next = access(t->file, R_OK) ? 0 : train_next_epoch(t->file);
  return next && (!order->pause || next <= order->pause);
}

/* A trial that cannot go on begins anew, and ends as it would have. So does one with folds, whose file knows nothing of them. */
static int train_on(trial *t, const trial_order *order, trial_report *r)
{
  bool on = !t->s.folds && can_go_on(t, order);
  return on ? train_further(t, order, r) : train_trial(&t->s, order, r);
}

static void child(const trials_order *o, trial *t, const worker *w, int to, pid_t parent)
{
  trial_report r = {.score = {NAN, NAN}};
  int rungs = search_rungs(o->s);
  trial_order order = {.study = o->study,
                       .trial = t->number,
                       .run = t->report.run,
                       .rung = o->rung,
                       .rungs = rungs,
                       .file = t->file,
                       .pause = o->rung + 1 < rungs ? rung_epochs(o->s, o->rung) : 0};
  /* Ctrl-C of a terminal reaches the parent alone, which then asks each child once; its death asks them, too. */
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent || dup2(w->out, 1) < 0 || dup2(w->err, 2) < 0)
    _exit(END_RESOURCES);
  say_be_quiet();
  r.end = answer_end(train_on(t, &order, &r));
  _exit(write(to, &r, sizeof r) == (ssize_t)sizeof r ? END_DONE : END_RESOURCES);
}

/* ---- starting and collecting ---- */

static void worker_close(worker *w)
{
  close(w->from);
  close(w->out);
  close(w->err);
  *w = (worker){0};
}

static int start(crew *c, worker *w, trial *t)
{
  int ends[2];
  if (pipe(ends))
    return fail(END_RESOURCES, "a trial cannot be started: %s", strerror(errno));
  *w = (worker){.t = t,
                .from = ends[0],
                .out = memfd_create("answer", MFD_CLOEXEC),
                .err = memfd_create("talk", MFD_CLOEXEC)};
  pid_t parent = getpid();
  fflush(stdout);
  fflush(stderr);
  w->pid = w->out < 0 || w->err < 0 ? -1 : fork();
  if (w->pid == 0)
    child(c->o, t, w, ends[1], parent);
  int why = errno;
  close(ends[1]);
  if (w->pid < 0) {
    worker_close(w);
    return fail(END_RESOURCES, "a trial cannot be started: %s", strerror(why));
  }
  c->busy++;
  return END_DONE;
}

static void read_text(int from, char *to)
{
  ssize_t n = pread(from, to, TRIAL_TEXT - 1, 0);
  to[n > 0 ? n : 0] = 0;
}

/* Its report, or that it ended without one. */
static void collect(crew *c, worker *w)
{
  trial *t = w->t;
  trial_report r;
  int status = 0;
  bool whole = read(w->from, &r, sizeof r) == (ssize_t)sizeof r;
  while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
    ;
  read_text(w->out, t->answer);
  read_text(w->err, t->why);
  int64_t run = t->report.run;
  if (whole)
    t->report = r;
  else
    t->report.end = WIFSIGNALED(status) ? END_SIGNAL + WTERMSIG(status) : END_RESOURCES;
  t->report.run = t->report.run ? t->report.run : run;
  if (!whole && !*t->why)
    snprintf(t->why, TRIAL_TEXT, "it was ended by signal %d%s\n", WTERMSIG(status),
             WTERMSIG(status) == SIGKILL ? ": out of memory?" : "");
  worker_close(w);
  c->busy--;
}

/* ---- what a trial's end means ---- */

static bool was_asked(int end)
{
  return end == END_SIGNAL + SIGTERM || end == END_SIGNAL + SIGINT;
}

static void judge_trial(const crew *c, trial *t)
{
  const trial_report *r = &t->report;
  bool good = r->end == END_DONE || r->end == END_SIGNAL;
  t->failed = (!good && !was_asked(r->end)) || (good && isnan(r->score.loss));
  for (int rungs = search_rungs(c->o->s); good && t->rungs < rungs && (t->rungs <= c->o->rung || r->finished);
       t->rungs++)
    t->reached[t->rungs] = r->score;
}

/* What is wrong with the options, the data or a file is wrong for all. */
static int shows_all(const trial *t)
{
  int end = t->report.end;
  bool all = end == END_USAGE || end == END_DATA || end == END_MODEL;
  if (all)
    fprintf(stderr, "%s", t->why);
  return all ? end : END_DONE;
}

/* ---- the crew ---- */

static void ask_to_stop(const crew *c)
{
  for (int64_t i = 0; i < c->n; i++)
    if (c->at[i].t)
      kill(c->at[i].pid, SIGTERM);
}

/* Waits until a child has something to say, a signal comes, or for a while. *end: how a trial that shows all ended; the first one is told. */
static void look(crew *c, struct pollfd *ear, int *end)
{
  for (int64_t i = 0; i < c->n; i++)
    ear[i] = (struct pollfd){.fd = c->at[i].t ? c->at[i].from : -1, .events = POLLIN};
  double left = 1000 * (c->o->until - stopwatch_now());
  if (poll(ear, (nfds_t)c->n, left < LOOK_MS ? (int)fmax(left, 0) + 1 : LOOK_MS) <= 0)
    return;
  for (int64_t i = 0; i < c->n; i++)
    if (c->at[i].t && ear[i].revents) {
      trial *t = c->at[i].t;
      collect(c, &c->at[i]);
      judge_trial(c, t);
      if (!*end)
        *end = shows_all(t);
      if (!*end || *end > END_SIGNAL)
        c->o->ended(c->o->user, t);
    }
}

static worker *free_worker(const crew *c)
{
  for (int64_t i = 0; i < c->n; i++)
    if (!c->at[i].t)
      return &c->at[i];
  return NULL;
}

static int run_crew(crew *c, struct pollfd *ear, trial *const *list, int64_t n, bool *late)
{
  int end = END_DONE;
  bool asked = false;
  for (int64_t next = 0; (next < n && !end && !*late) || c->busy;) {
    worker *w = next < n && !end && !*late ? free_worker(c) : NULL;
    if (w)
      end = start(c, w, list[next++]);
    else
      look(c, ear, &end);
    *late = *late || stopwatch_now() >= c->o->until;
    if (!end && interrupt_came())
      end = END_SIGNAL + interrupt_came();
    if ((end || *late) && !asked) {
      ask_to_stop(c);
      asked = true;
    }
  }
  return end;
}

int trials_run(const trials_order *o, trial *const *list, int64_t n, bool *late)
{
  crew c = {.o = o, .n = o->parallel < n ? o->parallel : n};
  size_t count = (size_t)(c.n > 0 ? c.n : 1);
  struct pollfd *ear = calloc(count, sizeof *ear);
  c.at = calloc(count, sizeof *c.at);
  int end = ear && c.at ? run_crew(&c, ear, list, n, late) : fail_memory();
  free(ear);
  free(c.at);
  return end;
}
