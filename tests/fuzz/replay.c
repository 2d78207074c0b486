/* Feeds every file of the folders named on the command line to a fuzz target, in the order of their names. Each input
 * gets storage of exactly its size, so that a sanitizer sees a read past its end. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
  FILE *f = fopen(path, "rb");
  if (!f)
    return perror(path), 1;
  fseek(f, 0, SEEK_END);
  long size = ftell(f);
  rewind(f);
  uint8_t *data = size < 0 ? NULL : malloc(size ? (size_t)size : 1);
  int failed = !data || fread(data, 1, (size_t)size, f) != (size_t)size;
  if (failed)
    fprintf(stderr, "%s: cannot be read\n", path);
  else
    LLVMFuzzerTestOneInput(data, (size_t)size);
  free(data);
  fclose(f);
  return failed;
}

static int replay_folder(const char *folder, int *count)
{
  struct dirent **entries;
  int n = scandir(folder, &entries, NULL, alphasort), failed = 0;
  if (n < 0)
    return perror(folder), 1;
  for (int i = 0; i < n; i++) {
    char path[4096];
    if (entries[i]->d_name[0] != '.') {
      snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
      failed |= replay_file(path);
      ++*count;
    }
    free(entries[i]);
  }
  free(entries);
  return failed;
}

int main(int argc, char **argv)
{
  int failed = 0, count = 0;
  failed |= LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
  for (int i = 1; i < argc; i++)
    failed |= replay_folder(argv[i], &count);
  printf("%d inputs replayed\n", count);
  return failed || count == 0;
}
