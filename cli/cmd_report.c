/* One page about a network: how it learned, how good it is, where it errs, what it looks for. */
#include "cmd.h"
#include "context.h"
#include "dataset.h"
#include "modelfile.h"
#include "outfile.h"
#include "report.h"

#include <stdio.h>
#include <string.h>

static const report_section *const parts[] = {report_numbers, report_curves, report_rows, report_network};
/* The order on the page. */
static const char *const order[] = {"training",      "metrics",   "confusion", "classes",
                                    "probabilities", "residuals", "mistakes",  "importance",
                                    "regions",       "saliency",  "templates", "card"};
enum { SECTIONS = sizeof order / sizeof *order };

static const report_section *section_of(const char *id)
{
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    for (const report_section *s = parts[i]; s->id; s++)
      if (!strcmp(s->id, id))
        return s;
  return NULL;
}

static const char *base_name(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static void write_head(report *r)
{
  html *h = &r->page;
  char title[300];
  snprintf(title, sizeof title, "%.200s", base_name(r->s->inputs[0]));
  html_begin(h, title);
  html_raw(h, "<header>\n<h1>");
  html_text(h, title);
  html_raw(h, "</h1>\n<p>");
  html_text(h, bp_net_summary(r->net));
  if (*bp_net_target(r->net)) {
    html_raw(h, ", predicts ");
    report_targets(r);
  }
  html_raw(h, "</p>\n");
  report_figures(r);
  html_raw(h, "<nav>");
  for (int i = 0; i < SECTIONS; i++)
    if (section_of(order[i])->wanted(r))
      html_raw(h, "<a href=\"#%s\">%s</a> ", order[i], section_of(order[i])->title);
  html_raw(h, "</nav>\n</header>\n<main>\n");
}

static bp_status write_page(report *r)
{
  bp_status st = BP_OK;
  write_head(r);
  for (int i = 0; i < SECTIONS && st == BP_OK; i++) {
    const report_section *s = section_of(order[i]);
    if (!s->wanted(r))
      continue;
    html_raw(&r->page, "<section id=\"%s\">\n<h2>%s</h2>\n", s->id, s->title);
    st = s->write(r);
    html_raw(&r->page, "</section>\n");
  }
  html_raw(&r->page, "</main>\n");
  html_end(&r->page);
  return st == BP_OK && r->page.failed ? BP_E_NOMEM : st;
}

static int save_page(const report *r)
{
  if (!r->s->output) {
    answer("%s", r->page.s);
    return END_DONE;
  }
  bp_status st = bp_save_file(r->ctx, r->s->output, r->page.s, r->page.n);
  if (st != BP_OK)
    return fail_status(st, END_RESOURCES);
  answer("%s: report of %s\n", shown(r->s->output), shown(bp_net_summary(r->net)));
  return END_DONE;
}

static int write_report(report *r)
{
  bp_net_image(r->net, r->image);
  /* Other depths than grey and colour are no pictures. */
  if (r->image[2] != 1 && r->image[2] != 3)
    r->image[0] = 0;
  bp_status st = write_page(r);
  int end = st == BP_OK ? save_page(r) : st == BP_E_NOMEM ? fail_memory() : fail_status(st, END_DATA);
  html_free(&r->page);
  return end;
}

static int check_paths(const settings *s)
{
  int end = s->output ? out_check(s->output, "a report") : END_DONE;
  for (int i = 0; i < s->n_inputs && !end; i++)
    if (s->output ? same_path(s->output, s->inputs[i]) : output_is_not(s->inputs[i]))
      end = s->output ? fail(END_USAGE, "%s: is both input and output; name another file with -o", s->output)
                      : END_USAGE;
  return end;
}

int cmd_report(const settings *s)
{
  report r = {.s = s};
  bp_data *data = NULL;
  int end = check_paths(s);
  if (end)
    return end;
  r.ctx = context_new(s);
  if (!r.ctx)
    return END_RESOURCES;
  end = model_load(r.ctx, s->inputs[0], &r.net);
  if (!end && s->n_inputs > 1)
    end = dataset_read_for(r.ctx, s, r.net, s->inputs + 1, s->n_inputs - 1, s->target, &data);
  r.data = data;
  r.task = bp_net_task(r.net);
  if (!end && data)
    end = report_measure(&r);
  if (!end)
    end = write_report(&r);
  report_data_free(&r);
  bp_data_free(data);
  bp_net_free(r.net);
  return context_free(r.ctx, s, end);
}
