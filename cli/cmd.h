/* The subcommands, one file each. They return the exit status. */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include "options.h"

int cmd_train(const settings *s);
int cmd_tune(const settings *s);
int cmd_eval(const settings *s);
int cmd_predict(const settings *s);
int cmd_report(const settings *s);
int cmd_plot(const settings *s);
int cmd_templates(const settings *s);
int cmd_regions(const settings *s);
int cmd_info(const settings *s);
int cmd_runs(const settings *s);
int cmd_run(const settings *s);
int cmd_grad(const settings *s);
int cmd_check(const settings *s);
int cmd_bench(const settings *s);
int cmd_jacobian(const settings *s);
int cmd_hessian(const settings *s);
int cmd_ops(const settings *s);
int cmd_layers(const settings *s);
int cmd_graph(const settings *s);
int cmd_help(const settings *s);
int cmd_version(const settings *s);

/* Help for one command, or for the program (NULL), to stdout. */
void help_print(const command *c);

#endif
