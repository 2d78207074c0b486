/* What the program tells: answers to stdout, talk and progress to stderr; and how it ends. */
#ifndef CLI_SAY_H
#define CLI_SAY_H

#include "bprop.h"

#include <stdio.h>

/* Exit statuses, told by `bprop help`. */
enum {
  END_DONE = 0,
  END_CHECK = 1,
  END_USAGE = 2,
  END_DATA = 3,
  END_MODEL = 4,
  END_DIVERGED = 5,
  END_RESOURCES = 6,
  END_SIGNAL = 128 /* plus the signal's number: 130 for Ctrl-C */
};

/* First thing in main: closed standard streams get a place holder, so that no file opened later takes their number; signals
 * that would end the program while it writes are ignored, and the failing write is told instead. */
void say_start(void);
void say_be_quiet(void);
bool say_quiet(void);

/* A line to stderr, unless quiet. Control characters that came in with a name are shown as '?'. */
void say(const char *fmt, ...) BP_PRINTF(1, 2);
/* "bprop: ..." to stderr, in every case. Returns `end`. */
int fail(int end, const char *fmt, ...) BP_PRINTF(2, 3);
static inline int fail_memory(void)
{
  fail(END_RESOURCES, "out of memory");
  return END_RESOURCES;
}
/* fail with bp_error(); out of memory is END_RESOURCES whatever `end` is. */
int fail_status(bp_status s, int end);

/* Text to stdout, as printf; names go through shown(). */
void answer(const char *fmt, ...) BP_PRINTF(1, 2);
/* Answers go to f, until NULL sends them to stdout again: for files of JSON lines. */
void answer_into(FILE *f);
/* A text with its control characters replaced; good until the fourth next call. */
const char *shown(const char *text);
/* False once stdout took no more: a long answer stops then. */
bool answer_goes_on(void);
/* Hands out what was answered so far, where somebody may wait for it. */
void answer_now(void);
/* Whether answers may be coloured: stdout is a terminal that is not dumb, and NO_COLOR is not set (no-color.org). */
bool answer_in_colour(void);
/* Flushes and closes stdout. Returns `end`, or why stdout failed: END_DONE where the reader had gone, else END_RESOURCES. */
int answer_end(int end);

/* "1,091" in text[32]. */
const char *with_commas(int64_t n, char *text);
/* "no", "one" to "twelve", "13"; the longer ones in text[32]. */
const char *number_word(int64_t n, char *text);
/* A string as JSON, quotes included; NULL is null. A number; null where it is not finite. */
void json_text(const char *text);
void json_number(double x);

#endif
