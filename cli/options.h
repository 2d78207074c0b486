/* The one table of options: the parser, help, the manual page, completion, configuration files and --print-config are made of it. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "say.h"

#include <stddef.h>

struct settings;

/** A subcommand. */
typedef struct command {
  const char *name;
  unsigned bit;
  const char *inputs; /* in the line of usage */
  int least, most;    /* inputs; most -1: any number */
  const char *summary;
  const char *text;     /* paragraphs, separated by empty lines */
  const char *examples; /* lines */
  int (*run)(const struct settings *s);
} command;

enum {
  TRAIN = 1,
  EVAL = 2,
  PREDICT = 4,
  INFO = 8,
  OPS = 16,
  HELP = 32,
  VERSION = 64,
  RUN = 128,
  GRAD = 256,
  RUNS = 512,
  TUNE = 1024,
  LAYERS = 1 << 11,
  JACOBIAN = 1 << 12,
  HESSIAN = 1 << 13,
  CHECK = 1 << 14,
  BENCH = 1 << 15,
  PLOT = 1 << 20,
  TEMPLATES = 1 << 21,
  REGIONS = 1 << 22,
  GRAPH = 1 << 23,
  REPORT = 1 << 24
};

/* Of an option: every command takes it. */
#define EVERY (~0u)
/* Commands that make a matrix, and all that take EXPR|FILE name=value... */
enum { MATRICES = JACOBIAN | HESSIAN, EXPRESSIONS = RUN | GRAD | CHECK | BENCH | GRAPH | MATRICES };
/* Commands that draw a picture. */
enum { PICTURES = PLOT | TEMPLATES | REGIONS | GRAPH | RUNS };

extern const command commands[];
extern const size_t command_count;
const command *command_find(const char *name);

typedef enum option_kind {
  OPTION_FLAG,      /* bool */
  OPTION_COUNT,     /* int64_t in lo..hi */
  OPTION_REAL,      /* double in lo..hi; ends may be left out */
  OPTION_TEXT,      /* const char * */
  OPTION_CHOICE,    /* int: which of `choices`, "a|b|c" */
  OPTION_WIDTHS,    /* int64_t[16], ended by 0; -1 first: no layer */
  OPTION_DELIMITER, /* char */
  OPTION_SIZE,      /* int64_t bytes: 512M, 2G */
  OPTION_PART,      /* part */
  OPTION_RANGE,     /* span in lo..hi: LOW..HIGH, or one number */
  OPTION_TIME,      /* double, seconds: 90, 90s, 10m, 1.5h, 2d */
  OPTION_EVERY      /* how_often: 1000 steps, or a time with its unit; 0: never */
} option_kind;

/** A share of the data to hold out, or files of their own. */
typedef struct part {
  double fraction; /* 0: none */
  const char *files[2];
  int n;
} part;

/** AUTO_SPAN, whose ends are the wrong way round: the program chooses. */
typedef struct span {
  double lo, hi;
} span;
#define AUTO_SPAN ((span){1, 0})
static inline bool span_is_auto(const span *s)
{
  return s->lo > s->hi;
}

typedef struct how_often {
  int64_t steps;  /* 0: not by steps */
  double seconds; /* 0: not by time */
} how_often;

typedef struct option {
  const char *name;
  const char *argument; /* NULL for flags */
  const char *choices;
  const char
      *alone; /* its value where it stands without one; one must then come after =. NULL: it needs one */
  const char *preset; /* as it would be typed; "auto": chosen by what is at hand; NULL: none */
  const char *help;   /* NULL: not shown */
  double lo, hi;
  double automatic; /* of OPTION_REAL: the number that stands for auto */
  size_t at;        /* in settings */
  unsigned commands;
  option_kind kind;
  char letter;         /* 0: none */
  bool lo_out, hi_out; /* the end itself is not allowed */
  bool
      aside; /* changes nothing of what a training ends with: not kept with its model, and may be given with --resume */
  bool anew; /* kept, and may be given again with --resume */
} option;

extern const option options[];
extern const size_t option_count;
bool option_of(const option *o, const command *c);
/* Commands whose options it takes beside its own. */
unsigned command_also(const command *c);

enum { WIDTHS = 16 };
#define PROFILE_TABLE "table"
#define FIND_LR_TOLD  "-"
#define HISTORY_OFF   "off"
enum { DTYPE_AUTO, DTYPE_FLOAT32, DTYPE_FLOAT64 };

/** What is in force for one run of a command. */
typedef struct settings {
  const command *command;
  const char **inputs;
  int n_inputs;
  char *const *words; /* as they were typed, after the command */
  int n_words;

  bool print_program;
  bool help, json, quiet, verbose, print_config;
  const char *config;
  int jit; /* auto, off, wait */
  int64_t threads;

  const char *target, *weights, *ignore, *categorical, *numeric;
  int missing; /* bp_missing */
  int unknown; /* bp_unknown */
  int64_t embed_above;
  int header; /* bp_csv_header */
  char delimiter;
  int64_t memory; /* for data; 0: as much as is sensible here */
  part valid, test;

  int64_t hidden[WIDTHS];
  const char *activation, *model;
  double dropout, init_scale;
  int init;  /* bp_init_kind */
  int dtype; /* DTYPE_... */
  int64_t seed;

  int64_t epochs, batch, patience;
  int optimizer; /* bp_optimizer_kind */
  double lr, momentum, weight_decay, clip_norm, clip_value, l1, max_norm, label_smoothing, mixup, averaging;
  bool nesterov;
  int refit; /* auto, yes, no */
  const char *metric;
  int64_t warmup, accumulate;
  int link;
  const char *find_lr; /* a file, or FIND_LR_TOLD */
  const char *loss, *schedule, *rates, *class_weights, *augment;
  const char *output, *log, *tensorboard, *by, *resume;
  how_often checkpoint;
  const char *start, *freeze;
  int64_t folds; /* 0: none */

  double step;
  int64_t entries;
  const char *wrt, *upstream;
  bool steps, unbundle, bundle, all;
  int sweeps; /* bp_sweeps */

  bool dark, grey, dot;
  double scale; /* of a PNG */
  double from, to;
  int64_t top, most;
  const char *shape;

  const char *runs; /* the file of the history, or HISTORY_OFF; NULL: the user's own */
  int64_t lines;

  span search_width, search_depth, search_lr, search_decay, search_dropout;
  int search; /* auto, halving, random */
  int64_t trials, parallel;
  double budget;

  bool man;
  int completion;

  const char *profile; /* a file, or PROFILE_TABLE */

  unsigned char *given; /* by option: 0 not, 1 by the configuration file, 2 on the command line */
  char *config_text;
} settings;

/* Fills s from the words after the command. Returns 0 or END_USAGE, told. settings_free in every case. */
int settings_parse(settings *s, const command *cmd, int argc, char **argv);
void settings_free(settings *s);
bool settings_given(const settings *s, const char *name);
/* The options that a model keeps of its training: those that were given, as a configuration file; to be freed. NULL: out of memory. */
char *settings_kept(const settings *s);
/* Takes over what settings_kept gave, where the command line gives nothing. `text` is changed, and must outlive s. END_USAGE, told, for what is no such
 * text, and for options on the command line that may not be given again; `name`: the file that it came from. */
int settings_adopt(settings *s, char *text, const char *name);
/* What is in force, as a configuration file: to be freed; NULL: out of memory. */
char *settings_text(const settings *s);
/* The same of those that were given alone. */
char *settings_given_text(const settings *s);
/* The line that gives command c the inputs and options that were given and that it takes: to be freed; NULL: out of memory. */
char *settings_command(const settings *s, const command *c);
/* Takes options from such a text, as from a configuration file named `name`, which the command line beats. The text is changed, and must
 * stay as long as s. END_USAGE, told. */
int settings_read(settings *s, char *text, const char *name);
/* Marks an option as if it had been typed, or not. */
void settings_mark(settings *s, const char *name, bool given);
/* Text of choice number i of an option; "" past the end. In a place that lasts until the next call. */
const char *option_choice(const option *o, int i);
const char *choice_text(const char *option_name, int i);
/* "a number over 0": what an option takes, in words. Same place. */
const char *option_range(const option *o);

#endif
