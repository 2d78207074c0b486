/* What kind of data a file holds, by its first bytes. */
#ifndef CLI_FILEKIND_H
#define CLI_FILEKIND_H

#include <stdbool.h>

typedef enum file_kind { FILE_CSV, FILE_IDX, FILE_NPY, FILE_NPZ, FILE_MODEL, FILE_FOLDER } file_kind;

/* FILE_CSV for what cannot be opened, is no regular file, or is not known: the reader of tables then says what is wrong. */
file_kind file_kind_of(const char *path);
/* Whether two paths are the same file; false if either does not exist. */
bool same_file(const char *a, const char *b);

#endif
