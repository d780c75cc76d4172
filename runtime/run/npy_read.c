// npy_read.c - reads arrays in NumPy's .npy format.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "npy.h"
#include "npy_dtypes.h"

/// NumPy's own headers have about a hundred bytes; this allows for padding.
#define MAX_HEADER_SIZE 65536

/// A read under way. The functions return 1 on success; the first one that
/// fails explains itself in `error`.
typedef struct reader {
  int fd;
  uint64_t left;    // bytes of the file that have not been read
  const char *next; // in the header text
  const char *end;
  heddle_tensor_t tensor;
  heddle_npy_error_t *error;
} reader_t;

__attribute__((format(printf, 2, 3))) static int fail(reader_t *reader,
                                                      const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(reader->error->text, sizeof reader->error->text, format, arguments);
  va_end(arguments);
  return 0;
}

static int read_bytes(reader_t *reader, void *out, uint64_t size) {
  if (size > reader->left)
    return fail(reader, "is truncated: expects %llu bytes more, has %llu",
                (unsigned long long)size, (unsigned long long)reader->left);
  uint8_t *next = out;
  while (size) {
    ssize_t count = read(reader->fd, next, size);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return fail(reader, "cannot be read: %s",
                  count ? strerror(errno) : "it became shorter");
    next += count;
    size -= (uint64_t)count;
    reader->left -= (uint64_t)count;
  }
  return 1;
}

//===----------------------------------------------------------------------===//
// The header: a Python dictionary of three entries
//===----------------------------------------------------------------------===//

static void skip_blanks(reader_t *reader) {
  while (
      reader->next < reader->end &&
      (*reader->next == ' ' || *reader->next == '\n' || *reader->next == '\t'))
    ++reader->next;
}

/// Takes `text` if it comes next.
static int take(reader_t *reader, const char *text) {
  skip_blanks(reader);
  size_t length = strlen(text);
  if ((size_t)(reader->end - reader->next) < length ||
      memcmp(reader->next, text, length) != 0)
    return 0;
  reader->next += length;
  return 1;
}

static int fail_header(reader_t *reader) {
  return fail(reader, "has a header that is not NumPy's");
}

/// Takes a quoted string without escapes.
static int take_string(reader_t *reader, char *out, size_t size) {
  skip_blanks(reader);
  if (reader->next == reader->end ||
      (*reader->next != '\'' && *reader->next != '"'))
    return fail_header(reader);
  char quote = *reader->next++;
  size_t length = 0;
  while (reader->next < reader->end && *reader->next != quote) {
    if (length + 1 == size)
      return fail_header(reader);
    out[length++] = *reader->next++;
  }
  out[length] = 0;
  return take(reader, quote == '"' ? "\"" : "'") || fail_header(reader);
}

static int parse_dtype(reader_t *reader) {
  char text[16];
  skip_blanks(reader);
  if (reader->next < reader->end && *reader->next == '[')
    return fail(reader, "holds records, expects a single dtype");
  if (!take_string(reader, text, sizeof text))
    return 0;
  int has_order = text[0] && strchr("<>|=", text[0]);
  const char *code = text + has_order;
  for (int i = 0; i < HEDDLE_NPY_DTYPE_COUNT; ++i) {
    if (strcmp(code, heddle_npy_dtypes[i].code) != 0)
      continue;
    if (text[0] == '>' && heddle_dtype_size(heddle_npy_dtypes[i].dtype) > 1)
      return fail(reader, "is big-endian, expects little-endian");
    reader->tensor.dtype = heddle_npy_dtypes[i].dtype;
    return 1;
  }
  return fail(reader, "has the type code '%s', expects a number or bool", text);
}

static int parse_order(reader_t *reader) {
  if (take(reader, "False"))
    return 1;
  if (take(reader, "True"))
    return fail(reader,
                "is in column-major (Fortran) order, expects row-major");
  return fail_header(reader);
}

static int parse_size(reader_t *reader, int64_t *out) {
  skip_blanks(reader);
  const char *begin = reader->next;
  int64_t size = 0;
  for (; reader->next < reader->end && *reader->next >= '0' &&
         *reader->next <= '9';
       ++reader->next)
    if (__builtin_mul_overflow(size, 10, &size) ||
        __builtin_add_overflow(size, *reader->next - '0', &size))
      return fail(reader, "has a size that is no 64-bit number");
  *out = size;
  return reader->next > begin || fail_header(reader);
}

static int parse_shape(reader_t *reader) {
  if (!take(reader, "("))
    return fail_header(reader);
  int32_t rank = 0;
  while (!take(reader, ")")) {
    if (rank == HEDDLE_MAX_RANK)
      return fail(reader, "has more than %d dimensions", HEDDLE_MAX_RANK);
    if (!parse_size(reader, &reader->tensor.shape[rank++]))
      return 0;
    if (!take(reader, ",") &&
        (reader->next == reader->end || *reader->next != ')'))
      return fail_header(reader);
  }
  reader->tensor.rank = rank;
  return 1;
}

static int parse_header(reader_t *reader) {
  static const struct {
    const char *key;
    int (*parse)(reader_t *);
  } keys[3] = {{"descr", parse_dtype},
               {"fortran_order", parse_order},
               {"shape", parse_shape}};
  unsigned seen = 0;
  if (!take(reader, "{"))
    return fail_header(reader);
  while (!take(reader, "}")) {
    char key[32];
    if (!take_string(reader, key, sizeof key))
      return 0;
    unsigned index = 0;
    while (index < 3 && strcmp(key, keys[index].key) != 0)
      ++index;
    if (index == 3 || seen >> index & 1 || !take(reader, ":"))
      return fail_header(reader);
    if (!keys[index].parse(reader))
      return 0;
    seen |= 1u << index;
    skip_blanks(reader);
    if (!take(reader, ",") &&
        (reader->next == reader->end || *reader->next != '}'))
      return fail_header(reader);
  }
  skip_blanks(reader);
  return (seen == 7 && reader->next == reader->end) || fail_header(reader);
}

static int read_header(reader_t *reader) {
  uint8_t start[8];
  if (!read_bytes(reader, start, sizeof start))
    return 0;
  if (memcmp(start, "\x93NUMPY", 6) != 0)
    return fail(reader, "is not a .npy file");
  if (start[6] < 1 || start[6] > 3)
    return fail(reader, "has format version %u, expects 1 to 3", start[6]);
  uint8_t length[4] = {0};
  if (!read_bytes(reader, length, start[6] == 1 ? 2 : 4))
    return 0;
  uint32_t size = (uint32_t)length[0] | (uint32_t)length[1] << 8 |
                  (uint32_t)length[2] << 16 | (uint32_t)length[3] << 24;
  if (size > MAX_HEADER_SIZE)
    return fail(reader, "has a header of %u bytes, expects at most %d", size,
                MAX_HEADER_SIZE);
  char *text = malloc(size ? size : 1);
  if (!text)
    return fail(reader, "does not fit into memory");
  reader->next = text;
  reader->end = text + size;
  int good = read_bytes(reader, text, size) && parse_header(reader);
  free(text);
  return good;
}

//===----------------------------------------------------------------------===//
// The data
//===----------------------------------------------------------------------===//

static int read_data(reader_t *reader) {
  heddle_tensor_t *tensor = &reader->tensor;
  uint64_t size = heddle_dtype_size(tensor->dtype);
  for (int32_t i = 0; i < tensor->rank; ++i)
    if (__builtin_mul_overflow(size, (uint64_t)tensor->shape[i], &size))
      return fail(reader, "has a shape of more bytes than can be counted");
  if (size != reader->left)
    return fail(reader, "has %llu bytes of data, its shape needs %llu",
                (unsigned long long)reader->left, (unsigned long long)size);
  tensor->data = malloc(size ? size : 1);
  if (!tensor->data)
    return fail(reader, "does not fit into memory");
  if (!read_bytes(reader, tensor->data, size))
    return 0;
  // A bool that is neither 0 nor 1 would be undefined for generated code.
  if (tensor->dtype == HEDDLE_BOOL)
    for (uint64_t i = 0; i < size; ++i)
      ((uint8_t *)tensor->data)[i] = ((uint8_t *)tensor->data)[i] != 0;
  return 1;
}

static int read_open_file(reader_t *reader) {
  struct stat file;
  if (fstat(reader->fd, &file) != 0)
    return fail(reader, "cannot be read: %s", strerror(errno));
  if (!S_ISREG(file.st_mode))
    return fail(reader, "is not a regular file");
  reader->left = (uint64_t)file.st_size;
  return read_header(reader) && read_data(reader);
}

int heddle_npy_read(const char *path, heddle_tensor_t *out_tensor,
                    heddle_npy_error_t *out_error) {
  reader_t reader = {.error = out_error};
  // O_NONBLOCK: a pipe in the place of a file must not make us wait.
  reader.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (reader.fd < 0)
    return fail(&reader, "cannot be opened: %s", strerror(errno));
  int good = read_open_file(&reader);
  close(reader.fd);
  if (good)
    *out_tensor = reader.tensor;
  else
    free(reader.tensor.data);
  return good;
}
