/* Model files, as commands that use one begin. */
#include "modelfile.h"
#include "filekind.h"

#include <sys/stat.h>

int model_load(bp_ctx *ctx, const char *path, bp_net **net)
{
  bp_status s = BP_OK;
  if (file_kind_of(path) != FILE_MODEL) {
    /* The reader's own words for a file that is there; a hint where the inputs were given in the wrong order. */
    struct stat st;
    if (!stat(path, &st) && S_ISREG(st.st_mode) && st.st_size > 0)
      return fail(END_MODEL, "%s: this is no model file (safetensors); the model comes first, then the data",
                  path);
  }
  *net = bp_net_load(ctx, path, &s);
  return *net ? END_DONE : fail_status(s, END_MODEL);
}

int output_is_not(const char *path)
{
  struct stat out, in;
  if (fstat(1, &out) || !S_ISREG(out.st_mode) || stat(path, &in) || out.st_dev != in.st_dev ||
      out.st_ino != in.st_ino)
    return END_DONE;
  return fail(END_USAGE, "%s: is both input and output", path);
}
